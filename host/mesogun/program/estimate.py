"""What a program will take: shots, volume, time, pressure, force and what to draw up."""

from dataclasses import dataclass

from mesogun.catalog import get_needle, get_syringe
from mesogun.program import hydraulics
from mesogun.program.alarm import stops_kpa, syringe_limit_kpa
from mesogun.program.compiled import compile_steps
from mesogun.program.force import pushes
from mesogun.program.loads import loads, seconds
from mesogun.program.model import Program
from mesogun.program.planned import shot_count, volumes
from mesogun_protocol.enums import StepKind


@dataclass(frozen=True)
class Estimate:
    """A program in figures.

    Attributes:
        shots: number of shots; a flow counts as one.
        volume_nl: doses and films, primes apart.
        film_nl: the part of it that is laid on the skin.
        prime_nl: primes.
        duration_s: time with the trigger held throughout, pauses not counted.
        peak_flow_ul_per_s: highest flow.
        peak_pressure_kpa: highest pressure in the barrel, tissue included.
        peak_force_n: highest force on the plunger, friction included.
        fill_nl: what to draw up: doses, films, primes and a reserve of 5 %.
        usable_nl: what one syringe can give.
        syringes: how many are needed.
        limit_kpa: highest pressure that the drive makes in this barrel.
        stops_kpa: where the gun stops, in the step where it stops first and in the one where it
            stops last. Far below the peak: the drive is sized for tissue that is hardly ever met.
    """

    shots: int
    volume_nl: int
    film_nl: int
    prime_nl: int
    duration_s: float
    peak_flow_ul_per_s: float
    peak_pressure_kpa: float
    peak_force_n: float
    fill_nl: int
    usable_nl: int
    syringes: int
    limit_kpa: float
    stops_kpa: tuple[int, int]

    @property
    def margin_nl(self) -> int:
        """What the syringes could give beyond the fill."""
        return self.usable_nl * self.syringes - self.fill_nl

    @property
    def pressure_margin(self) -> float:
        """The part of the highest pressure that is left at the peak, 0 to 1."""
        return 1 - self.peak_pressure_kpa / self.limit_kpa


def estimate(program: Program) -> Estimate:
    """The figures of a checked program.

    Pressure and force are those of nominal bore and barrel; see `mesogun.program.hydraulics`.
    """
    syringe, needle = get_syringe(program.syringe), get_needle(program.needle)
    steps = compile_steps(program, syringe)
    moving = [step for step in steps if step.kind is not StepKind.PAUSE]
    stops = [stops_kpa(step, syringe) for step in moving] or [syringe_limit_kpa(syringe)]
    volume = volumes(steps)
    found = [push for step in program.document()["step"] for push in pushes(step)]
    pressures = [push.pressure_kpa(needle, program.viscosity_mpa_s) for push in found]
    peak_kpa = max(pressures, default=0.0)
    return Estimate(
        shots=shot_count(steps),
        volume_nl=volume.volume_nl,
        film_nl=volume.film_nl,
        prime_nl=volume.prime_nl,
        duration_s=seconds(steps),
        peak_flow_ul_per_s=max((push.flow_ul_per_s for push in found), default=0.0),
        peak_pressure_kpa=peak_kpa,
        peak_force_n=hydraulics.plunger_force_n(peak_kpa, syringe),
        fill_nl=volume.fill_nl,
        usable_nl=syringe.usable_nl,
        syringes=len(loads(steps, syringe.usable_nl)),
        limit_kpa=hydraulics.pressure_limit_kpa(syringe),
        stops_kpa=(min(stops), max(stops)),
    )
