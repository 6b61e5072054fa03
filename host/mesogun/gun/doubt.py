"""A dose command whose answer never came, and how the gun's status settles it (R33).

Three outcomes, not two: done, certainly not done, unknown. When in doubt the answer leans towards
done, so that an error overstates what a patient got and never leads to a second dose.
"""

from dataclasses import dataclass

from mesogun.errors import LinkError
from mesogun.gun.model import Status
from mesogun_protocol.enums import ControllerState as State
from mesogun_protocol.fields import Message
from mesogun_protocol.messages import RESUME, START

_STARTED = (State.RUNNING, State.PAUSED, State.DONE, State.FAULT)
"""Where START leads. Without it ARMED leads to READY, or to FAULT, which is taken as started."""


class GunRestarted(LinkError):
    """The gun has started anew: its driver is off and it holds neither syringe nor program.

    What it delivered before stands in its journal; an intent without a result there is the bound.
    """


@dataclass(frozen=True)
class Doubt:
    """A dose command on its way.

    Attributes:
        message: START, RESUME or PRIME.
        session_id: the session that it names, 0 for a prime.
        boot_id: the boot of the gun that it was sent to.
        before: the gun just before it was sent.
    """

    message: Message
    session_id: int
    boot_id: int
    before: Status

    def carried_out(self, now: Status) -> bool:
        """Tell from the gun's status whether the command was, or must be taken as, carried out.

        The gun handles frames in order, so `now`, asked after the command, comes after it too. Of a
        prime it must have been asked after a STOP, which withdraws one that waits for its press.
        """
        before = self.before
        moved = now.total_forward_steps != before.total_forward_steps
        if self.message is START:
            began = moved or now.state in _STARTED
            return before.state is State.ARMED and now.session_id == self.session_id and began
        if self.message is RESUME:
            return moved or now.step_index != before.step_index or now.state is not State.PAUSED
        return now.primed_steps != before.primed_steps
