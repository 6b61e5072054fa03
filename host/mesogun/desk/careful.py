"""An observer between a person and a gun that cannot go on while its trigger is down."""

from typing import Final

from mesogun.treatment import Action, Observer, Progress
from mesogun_protocol.enums import ControllerState

_RELEASED_S: Final = 0.1


class Careful:
    """Passes on what an observer asks for, but a resume only once the trigger has been released.

    The gun refuses to go on while it feels the trigger, which is 50 ms longer than its pin does.
    """

    def __init__(self, observe: Observer, goes_on: bool) -> None:
        """`goes_on`: do so at each pause of the program, without being asked."""
        self._observe = observe
        self._goes_on = goes_on
        self._pressed_s = float("-inf")

    def __call__(self, progress: Progress) -> Action | None:
        """Show `progress`, and return what can be carried out of what is asked for."""
        if progress.trigger_pressed:
            self._pressed_s = progress.elapsed_s
        action = self._observe(progress)
        at_pause = progress.state is ControllerState.PAUSED and progress.message is not None
        if action is None and self._goes_on and at_pause:
            action = Action.RESUME
        if action is Action.RESUME and progress.elapsed_s - self._pressed_s < _RELEASED_S:
            return None
        return action
