"""What a program will do, before anything moves: for `run`, `plan` and `check`."""

from dataclasses import asdict

from mesogun.catalog import get_needle, get_syringe, get_technique
from mesogun.cli.printer import Answer, Table
from mesogun.program import Program, check, estimate
from mesogun.program.words import delivery_in_words, step_in_words
from mesogun.words import _, duration, number, pressure, volume


def overview(program: Program, gun: str | None = None) -> Answer:
    """The figures of a checked program and its soft problems; `gun` is which gun, in words."""
    figures = estimate(program)
    syringe, needle = get_syringe(program.syringe), get_needle(program.needle)
    warnings = [str(problem) for problem in check(program) if not problem.hard]
    rows = [
        (_("program"), _(program.name)),
        (
            _("technique"),
            f"{_(get_technique(program.technique).title)}, {delivery_in_words(program.delivery)}",
        ),
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
                step_in_words(step),
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
