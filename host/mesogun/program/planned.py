"""A program as the gun gets it: integers in nanolitres and microseconds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from mesogun.catalog import Needle, Syringe, needles, syringes
from mesogun.program.advance import reversal_nl, stored_nl
from mesogun.program.model import (
    FILM_EVERY,
    FlowStep,
    PrimeStep,
    Program,
    ShotsStep,
    Step,
    nanolitres,
)
from mesogun.program.motion import START_STEP_RATE_HZ, motion_of
from mesogun_protocol import limits
from mesogun_protocol.enums import OnRelease, StepKind, TriggerMode
from mesogun_protocol.limits import PRESSURE_LIMIT_MAX_KPA

MARGIN_PERCENT: Final = 5
"""Kept in reserve of all that a program pushes out: the accuracy of a dose (R06)."""


@dataclass(frozen=True)
class PlannedStep:
    """One step, field by field what the wire carries.

    Attributes:
        kind: what it does.
        trigger: who starts its shots.
        on_release: what a release does in hold mode.
        count: shots; 1 for flow, pause and prime.
        dose_nl: one shot, or the whole of a flow or a prime; 0 for a pause.
        inject_us: time in which `dose_nl` is pushed; 0 for a pause.
        period_us: start of a shot to the start of the next; 0 unless shots.
        ramp_us: time to full speed, and from it, within `inject_us`.
        retract_nl: pulled back after each shot and taken up before the next.
        stored_nl: pushed before the dose and taken back after it, as its pressure stores it.
        film_nl: one film.
        film_every: a film follows each shot (1), every second one (2), none (0).
        rise_kpa: most by which pressure rises beyond half of what a closed needle explains.
        limit_kpa: occlusion alarm, below that of the syringe.
    """

    kind: StepKind
    trigger: TriggerMode = TriggerMode.AUTO
    on_release: OnRelease = OnRelease.FINISH
    count: int = 1
    dose_nl: int = 0
    inject_us: int = 0
    period_us: int = 0
    ramp_us: int = 0
    retract_nl: int = 0
    film_nl: int = 0
    film_every: int = 0
    stored_nl: int = 0
    rise_kpa: int = PRESSURE_LIMIT_MAX_KPA
    limit_kpa: int = PRESSURE_LIMIT_MAX_KPA

    @property
    def films_nl(self) -> int:
        """All films of the step."""
        return self.count // self.film_every * self.film_nl if self.film_every else 0

    @property
    def duration_us(self) -> int:
        """Time from the first start to the end of the last shot, the trigger held throughout."""
        return (self.count - 1) * self.period_us + self.inject_us


@dataclass(frozen=True)
class Volumes:
    """What a program pushes out, nanolitres.

    Attributes:
        dose_nl: shots and flows.
        film_nl: films between shots.
        prime_nl: primes.
    """

    dose_nl: int
    film_nl: int
    prime_nl: int

    @property
    def volume_nl(self) -> int:
        """Doses and films: what limits and the gun's own count are about."""
        return self.dose_nl + self.film_nl

    @property
    def margin_nl(self) -> int:
        """The reserve, rounded up."""
        return -(-(self.volume_nl + self.prime_nl) * MARGIN_PERCENT // 100)

    @property
    def fill_nl(self) -> int:
        """What the syringe must hold: doses, films, primes and the reserve."""
        return self.volume_nl + self.prime_nl + self.margin_nl


def planned_step(step: Step, film_every: int) -> PlannedStep:
    """One step in integers; `film_every` as the delivery has it."""
    match step:
        case ShotsStep():
            return PlannedStep(
                kind=StepKind.SHOTS,
                trigger=TriggerMode[step.trigger.upper()],
                on_release=OnRelease[step.on_release.upper()],
                count=step.shots,
                dose_nl=step.dose_nl,
                inject_us=step.inject_us,
                period_us=step.period_us,
                ramp_us=round(step.ramp_ms * 1000),
                retract_nl=nanolitres(step.retract_ul or 0),
                film_nl=step.film_nl,
                film_every=film_every if step.film_nl else 0,
            )
        case FlowStep():
            return PlannedStep(
                kind=StepKind.FLOW,
                trigger=TriggerMode[step.trigger.upper()],
                dose_nl=step.volume_nl,
                inject_us=step.duration_us,
                ramp_us=round(step.ramp_ms * 1000),
            )
        case PrimeStep():
            # The press is the second of the two actions of a prime (R29).
            return PlannedStep(
                kind=StepKind.PRIME,
                trigger=TriggerMode.PRESS,
                dose_nl=step.volume_nl,
                inject_us=step.inject_us,
                ramp_us=step.ramp_us,
            )
        case _:
            return PlannedStep(kind=StepKind.PAUSE)


def planned_steps(program: Program) -> list[PlannedStep]:
    """The steps of a program in integers, for the syringe and the needle that it names."""
    steps = [planned_step(step, FILM_EVERY[program.delivery]) for step in program.steps]
    syringe, needle = syringes().get(program.syringe), needles().get(program.needle)
    if not (program.pressure_advance and syringe and needle):
        return steps
    return [
        _advanced(planned, step, program, syringe, needle)
        for planned, step in zip(steps, program.steps, strict=True)
    ]


def _advanced(
    planned: PlannedStep, step: Step, program: Program, syringe: Syringe, needle: Needle
) -> PlannedStep:
    """A train with pressure advance, if it is worth while and there is time for it.

    A film would first have to take up what was pulled back, so a train with films goes without.
    """
    if not isinstance(step, ShotsStep) or not planned.dose_nl or not planned.inject_us:
        return planned
    stored = stored_nl(
        planned.dose_nl,
        planned.inject_us,
        syringe,
        needle,
        program.viscosity_mpa_s,
        program.compliance_ul_per_kpa,
    )
    if planned.film_nl or not stored:
        return planned
    retract = planned.retract_nl
    if step.retract_ul is None:
        retract = min(reversal_nl(syringe), stored, planned.dose_nl)
    # What goes back in one piece is bounded (R12).
    stored = min(stored, limits.RETRACT_MAX_NL - retract)
    advanced = replace(planned, stored_nl=stored, retract_nl=retract)
    steady = replace(advanced, ramp_us=0)
    pl_per_step = syringe.pl_per_step()
    # The pressure rises before the dose: a ramp on top of that only starves the needle.
    if motion_of(steady, pl_per_step).jump_hz <= START_STEP_RATE_HZ:
        advanced = steady
    fits = motion_of(advanced, pl_per_step).needed_us <= planned.period_us
    return advanced if fits else planned


def volumes(steps: Iterable[PlannedStep]) -> Volumes:
    """What steps push out together."""
    dose = film = prime = 0
    for step in steps:
        if step.kind is StepKind.PRIME:
            prime += step.dose_nl
        else:
            dose += step.count * step.dose_nl
            film += step.films_nl
    return Volumes(dose, film, prime)


def shot_count(steps: Iterable[PlannedStep]) -> int:
    """Number of shots; a flow is one shot, a prime is none."""
    return sum(step.count for step in steps if step.kind in (StepKind.SHOTS, StepKind.FLOW))
