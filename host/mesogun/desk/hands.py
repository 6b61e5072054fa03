"""What keys do: actions for the treatment, and the hand at the trigger of a virtual gun."""

from collections.abc import Callable

from mesogun.treatment import Action, Progress
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant
from mesogun_protocol.enums import ControllerState, StepKind, TriggerMode

REPEAT_S = 0.6
"""A terminal tells no release of a key and repeats one that is held, first after up to 0.5 s: a
second space that comes sooner is taken for the same press of the key."""

PRESS_S = 0.1
"""Shortest press of the trigger, in the gun's time; it debounces 50 ms."""


class Hands:
    """Turns keys into actions.

    Attributes:
        panel: of a virtual gun, None at a real one, whose trigger is in the operator's hand.
        operated: a virtual operator works the trigger.
        plant: of a virtual gun whose needle keys can block, else None.
    """

    def __init__(
        self,
        panel: Panel | None,
        operated: bool,
        now_s: Callable[[], float],
        plant: Plant | None = None,
    ) -> None:
        """`now_s` is a clock on the wall, for the repetition of keys."""
        self.panel = panel
        self.plant = plant
        self.operated = operated
        self._now_s = now_s
        self._space_s = float("-inf")
        self._pressed_s = 0.0

    def works_trigger(self, progress: Progress) -> bool:
        """Whether the space key is the trigger, and the trigger does anything now."""
        return self.panel is not None and not self.operated and _asks(progress)

    @property
    def interlock_open(self) -> bool:
        """Whether the interlock of a virtual gun is open."""
        return self.panel is not None and not self.panel.interlock_closed

    def take(self, keys: str, progress: Progress) -> Action | None:
        """Carry out `keys` and return what the treatment is asked for."""
        self._let_go(progress)
        paused = progress.state is ControllerState.PAUSED
        action = None
        for key in keys:
            if key in "sq":
                return Action.STOP
            if key == "c":
                action = Action.CHANGE
            elif key == "p" or (key in "\r\n" and paused):
                action = Action.RESUME if paused else Action.PAUSE
            elif key == " ":
                self._squeeze(progress)
            elif key == "i" and self.panel is not None:
                self.panel.interlock_closed = not self.panel.interlock_closed
            elif key == "o" and self.plant is not None:
                self.plant.occluded = not self.plant.occluded
        return action

    def _squeeze(self, progress: Progress) -> None:
        """Press once, or take and release the hold."""
        repeated = self._now_s() - self._space_s < REPEAT_S
        self._space_s = self._now_s()
        if repeated or self.panel is None or not self.works_trigger(progress):
            return
        self.panel.trigger = not (self.panel.trigger and _is_held(progress))
        self._pressed_s = progress.elapsed_s

    def _let_go(self, progress: Progress) -> None:
        """Release the trigger after a press, and when there is nothing to hold it for any more."""
        if self.panel is None or self.operated or not self.panel.trigger:
            return
        over = progress.elapsed_s - self._pressed_s >= PRESS_S
        if not self.works_trigger(progress) or (over and not _is_held(progress)):
            self.panel.trigger = False


def _asks(progress: Progress) -> bool:
    """Whether the trigger does anything now."""
    return progress.state is ControllerState.RUNNING and (
        progress.trigger_mode is not TriggerMode.AUTO or progress.step_kind is StepKind.PRIME
    )


def _is_held(progress: Progress) -> bool:
    """Whether the step is one that goes on while the trigger is held."""
    return progress.trigger_mode is TriggerMode.HOLD
