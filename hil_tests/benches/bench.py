"""What a test may do to a gun and see of it, on whatever the gun runs.

Nothing here needs an emulator: a second board with a few wires, a balance and a relay can do it.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from mesogun.link import Transport

PATIENCE = {"virtual": 1.0, "rp2040": 0.1, "board": 0.1}
"""Share of a test's repetitions that a target has the time for. A second in which the emulated
processor computes takes seven, and on a board a second is a second."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One rising edge on STEP.

    Attributes:
        at_ns: when, on the bench's clock.
        forward: the level of DIR: True if the plunger delivers.
    """

    at_ns: int
    forward: bool


@dataclass(frozen=True, slots=True)
class Steps:
    """Rising edges on STEP, counted by the bench and not by the gun."""

    forward: int
    backward: int


class Line(Enum):
    """A line that a logic analyser is on; high means what the name says."""

    STEP = "step"
    FORWARD = "dir_forward"
    DRIVER = "driver_on"
    TRIGGER = "trigger_pressed"
    INTERLOCK = "interlock_closed"


@dataclass(frozen=True, slots=True)
class Change:
    """A new level on a line.

    Attributes:
        at_ns: when, on the bench's clock.
        line: where.
        high: the level.
    """

    at_ns: int
    line: Line
    high: bool


class Bench(Protocol):
    """One gun with a syringe, a needle and everything that surrounds it.

    Attributes:
        patience: share of a test's repetitions that there is time for, see `PATIENCE`.
        boot_s: from power-on until the gun waits for its host, at most.
    """

    @property
    def patience(self) -> float: ...
    @property
    def boot_s(self) -> float: ...

    def connect(self) -> Transport:
        """Plug the cable in, again if it was before, and return the host's end of it."""
        ...

    def unplug(self) -> None:
        """Pull the cable out; the gun has a supply of its own."""
        ...

    def stop_listening(self) -> None:
        """Let the host's computer take nothing more from the gun, as one that hangs."""
        ...

    def listen_again(self) -> None:
        """End that."""
        ...

    def stop_processor(self, seconds: float) -> None:
        """Let time pass while the gun's processor is stopped, as an interpreter that hangs.

        A debug probe does it. What hardware does by itself goes on, the watchdog too; it may end
        the stop early.
        """
        ...

    def lengthen_words(self, steps: int) -> None:
        """Add steps to each run of pulses of the running shot that is still in the gun's memory.

        A debug probe does it. What hardware has taken already stays as it is.
        """
        ...

    def now_ns(self) -> int:
        """Return the bench's clock."""
        ...

    def run_for(self, seconds: float) -> None:
        """Let time pass in which the host neither talks nor listens."""
        ...

    def press(self) -> None:
        """Push the trigger down."""
        ...

    def release(self) -> None:
        """Let the trigger go."""
        ...

    def open_interlock(self) -> None:
        """Open the safety loop."""
        ...

    def close_interlock(self) -> None:
        """Close it."""
        ...

    def remove_syringe(self) -> None:
        """Take the syringe out of its seat."""
        ...

    def seat_syringe(self) -> None:
        """Push it back in."""
        ...

    def occlude(self) -> None:
        """Close the needle's tip."""
        ...

    def clear_needle(self) -> None:
        """Open it."""
        ...

    def fail_supply(self) -> None:
        """Bring the supply voltage out of its range."""
        ...

    def restore_supply(self) -> None:
        """Bring it back."""
        ...

    def block_plunger(self) -> None:
        """Hold the plunger where it is, as the end of the barrel does."""
        ...

    def free_plunger(self) -> None:
        """Let it go."""
        ...

    def change_syringe(self, syringe: str) -> None:
        """Put a full and primed syringe of the catalog in the place of the one that is fitted."""
        ...

    def cut_power(self, after_s: float = 0.0) -> None:
        """Take the power away that long from now, with a silent host, and give it back at once."""
        ...

    def driver_on(self) -> bool:
        """Whether the motor has current."""
        ...

    def steps(self) -> Steps:
        """Return what was counted since the gun was last powered up."""
        ...

    def edges_since(self, at_ns: int) -> list[Edge]:
        """Return the edges later than `at_ns`, in order."""
        ...

    def changes(self) -> list[Change]:
        """Return what all lines did since the bench began, in order; first their levels then."""
        ...

    def delivered_nl(self) -> float:
        """Return what has left the needle, as a balance would tell it."""
        ...

    def close(self) -> None:
        """Switch everything off."""
        ...


class BenchMaker(Protocol):
    """Makes a bench for a syringe and a needle of the catalog."""

    def __call__(
        self,
        syringe: str = "bd-plastipak-5",
        needle: str = "30g-4",
        one_point: bool = False,
        seed: int = 1,
    ) -> Bench:
        """Return it, the gun powered up.

        Args:
            syringe: id in the catalog.
            needle: id in the catalog.
            one_point: the needle stays in one place, else each shot meets fresh tissue.
            seed: draws what differs from gun to gun.
        """
        ...
