"""What a program will do, before anything moves: for `run`, `plan` and `check`."""

from dataclasses import asdict

from mesogun.catalog import get_needle, get_syringe, get_technique
from mesogun.cli.printer import Answer, Table
from mesogun.cli.words import count, duration, volume
from mesogun.program import Program, check, estimate
from mesogun.program.model import FlowStep, PauseStep, PrimeStep, ShotsStep, Step

_STARTED_BY = {
    "auto": "by the gun itself",
    "hold": "while the trigger is held",
    "press": "one for each press of the trigger",
}


def overview(program: Program, gun: str | None = None) -> Answer:
    """The figures of a checked program and its soft problems; `gun` is which gun, in words."""
    figures = estimate(program)
    syringe, needle = get_syringe(program.syringe), get_needle(program.needle)
    warnings = [str(problem) for problem in check(program) if not problem.hard]
    rows = [
        ("program", program.name),
        ("technique", f"{get_technique(program.technique).title}, {program.delivery}"),
        ("syringe", f"{syringe.title}, draw up {volume(figures.fill_nl)}"),
        ("needle", f"{needle.title}, depth {program.depth_mm:g} mm"),
        *(
            (f"step {number}" if len(program.steps) > 1 else "step", _in_words(step))
            for number, step in enumerate(program.steps, 1)
        ),
        ("shots", f"{figures.shots}"),
        ("volume", volume(figures.volume_nl)),
        ("time", f"{duration(figures.duration_s)} without breaks"),
        ("force", f"at most {figures.peak_force_n:.0f} N at {figures.peak_pressure_kpa:.0f} kPa"),
    ]
    if gun is not None:
        rows.append(("gun", gun))
    data = {
        "name": program.name,
        "technique": program.technique,
        "syringe": program.syringe,
        "needle": program.needle,
        **asdict(figures),
        "warnings": warnings,
    }
    unusual = ["", "Unusual, to be confirmed before the start:", *warnings] if warnings else []
    return Answer(data, [Table(rows), *unusual])


def _in_words(step: Step) -> str:
    match step:
        case ShotsStep():
            pace = f"one every {step.period_us / 1e6:.4g} s"
            film = f", film {volume(step.film_nl)}" if step.film_nl else ""
            shots = f"{count(step.shots, 'shot')} of {volume(step.dose_nl)} in {step.inject_s:g} s"
            return f"{shots}{film}, {pace}, {_STARTED_BY[step.trigger]}"
        case FlowStep():
            time = duration(step.duration_us / 1e6)
            return (
                f"flow of {step.rate_ul_per_s:g} ul/s, {volume(step.volume_nl)} in {time}, "
                f"{_STARTED_BY[step.trigger]}"
            )
        case PauseStep():
            return f"pause: {step.message}"
        case PrimeStep():
            return f"prime of {volume(step.volume_nl)}, started with the trigger"
