"""What a program will do, before anything moves: for `run`, `plan` and `check`."""

from dataclasses import asdict

from mesogun.catalog import get_needle, get_syringe, get_technique
from mesogun.cli.printer import Answer, Table
from mesogun.program import Program, check, estimate
from mesogun.program.model import FlowStep, PauseStep, PrimeStep, ShotsStep, Step
from mesogun.words import N_, _, duration, ngettext, number, pressure, volume

_STARTED_BY = {
    "auto": N_("by the gun itself"),
    "hold": N_("while the trigger is held"),
    "press": N_("one for each press of the trigger"),
}


def overview(program: Program, gun: str | None = None) -> Answer:
    """The figures of a checked program and its soft problems; `gun` is which gun, in words."""
    figures = estimate(program)
    syringe, needle = get_syringe(program.syringe), get_needle(program.needle)
    warnings = [str(problem) for problem in check(program) if not problem.hard]
    rows = [
        (_("program"), _(program.name)),
        (_("technique"), f"{_(get_technique(program.technique).title)}, {_delivery(program)}"),
        (
            _("syringe"),
            _("{syringe}, draw up {volume}").format(
                syringe=syringe.title, volume=volume(figures.fill_nl)
            ),
        ),
        (
            _("needle"),
            _("{needle}, depth {depth} mm").format(
                needle=needle.title, depth=number(program.depth_mm, 2, trim=True)
            ),
        ),
        *(
            (
                _("step {number}").format(number=index) if len(program.steps) > 1 else _("step"),
                _in_words(step),
            )
            for index, step in enumerate(program.steps, 1)
        ),
        (_("shots"), f"{figures.shots}"),
        (_("volume"), volume(figures.volume_nl)),
        (_("time"), _("{time} without breaks").format(time=duration(figures.duration_s))),
        (
            _("force"),
            _("at most {force} N at {pressure}").format(
                force=number(figures.peak_force_n), pressure=pressure(figures.peak_pressure_kpa)
            ),
        ),
    ]
    if gun is not None:
        rows.append((_("gun"), gun))
    data = {
        "name": program.name,
        "technique": program.technique,
        "syringe": program.syringe,
        "needle": program.needle,
        **asdict(figures),
        "warnings": warnings,
    }
    unusual = ["", _("Unusual, to be confirmed before the start:"), *warnings] if warnings else []
    return Answer(data, [Table(rows), *unusual])


def _delivery(program: Program) -> str:
    return {"dry": _("dry"), "wet": _("wet"), "mixed": _("mixed")}[program.delivery]


def _in_words(step: Step) -> str:
    match step:
        case ShotsStep():
            text = ngettext(
                "{count} shot of {dose} in {inject} s, one every {period} s, {started}",
                "{count} shots of {dose} in {inject} s, one every {period} s, {started}",
                step.shots,
            ).format(
                count=step.shots,
                dose=volume(step.dose_nl),
                inject=number(step.inject_s, 3, trim=True),
                period=number(step.period_us / 1e6, 3, trim=True),
                started=_(_STARTED_BY[step.trigger]),
            )
            film = _(", film {volume}").format(volume=volume(step.film_nl))
            return text + film if step.film_nl else text
        case FlowStep():
            return _("flow of {rate} ul/s, {volume} in {time}, {started}").format(
                rate=number(step.rate_ul_per_s, 2, trim=True),
                volume=volume(step.volume_nl),
                time=duration(step.duration_us / 1e6),
                started=_(_STARTED_BY[step.trigger]),
            )
        case PauseStep():
            return _("pause: {message}").format(message=step.message)
        case PrimeStep():
            return _("prime of {volume}, started with the trigger").format(
                volume=volume(step.volume_nl)
            )
