"""The part of a program that one gun session gives: one load of one syringe."""

from collections.abc import Sequence
from dataclasses import dataclass

from mesogun.program.planned import PlannedStep, volumes
from mesogun_protocol.enums import StepKind


@dataclass(frozen=True)
class Part:
    """What one session gives, from one syringe.

    Attributes:
        steps: of the gun's program.
        volume_nl: liquid that the syringe holds at its begin.
        total_nl: the most that this session may deliver, primes apart.
        shots: the most shots that it may make.
        pauses: pauses of the program that lie before it.
        number: from 1, counted over all sessions of the visit.
    """

    steps: tuple[PlannedStep, ...]
    volume_nl: int
    total_nl: int
    shots: int
    pauses: int = 0
    number: int = 1

    @property
    def planned_nl(self) -> int:
        """Doses and films of its steps."""
        return volumes(self.steps).volume_nl

    def pause_number(self, index: int) -> int:
        """Which pause of the program, from 0, the step at `index` is."""
        return self.pauses + pauses(self.steps[:index])


def pauses(steps: Sequence[PlannedStep]) -> int:
    """Number of pauses among `steps`."""
    return sum(step.kind is StepKind.PAUSE for step in steps)
