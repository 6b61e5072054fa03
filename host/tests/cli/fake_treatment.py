"""A treatment in hold mode, for a terminal: a shot a look while the trigger is held.

Time passes only from look to look, so it waits for keys without sleeping.
"""

from mesogun.cli.following import live_view
from mesogun.desk.hands import Hands
from mesogun.treatment import Action
from mesogun.virtual.panel import Panel
from mesogun_protocol.enums import ControllerState
from tests.desk.progress import look

LOOKS = 2_000_000
"""Ends a test whose keys never came."""


def main() -> None:
    panel, clock, shots, state = Panel(), [0.0], 0, ControllerState.RUNNING
    action: Action | None = None
    hands = Hands(panel, False, lambda: clock[0])
    with live_view("virtual gun, seed 1", hands) as observe:
        for number in range(LOOKS):
            # A second a look on the wall: no two keys are a repetition.
            clock[0] = float(number)
            if panel.trigger and shots < 200:
                shots += 1
            action = observe(
                look(
                    state=state,
                    shots_done=shots,
                    trigger_pressed=panel.trigger,
                    wants_trigger=not panel.trigger,
                    elapsed_s=number / 5,
                )
            )
            if action is Action.STOP:
                break
            if action is not None:
                paused = action is Action.PAUSE
                state = ControllerState.PAUSED if paused else ControllerState.RUNNING
    print(f"over: {shots} shots, trigger {panel.trigger}, {action}")  # noqa: T201 - is read


if __name__ == "__main__":
    main()
