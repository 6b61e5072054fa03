"""What a program will do, before anything moves: for `run`, `plan` and `check`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mesogun import catalog
from mesogun.catalog import Syringe, get_needle, get_syringe, get_technique
from mesogun.desk.text import Table, Text
from mesogun.program import Estimate, Program, check, estimate, loads, volumes
from mesogun.program.hydraulics import DRIVE_LIMIT_N, TISSUE_KPA
from mesogun.program.planned import planned_steps
from mesogun.program.words import delivery_in_words, step_in_words
from mesogun.words import _, duration, ngettext, number, percent, pressure, speak, volume


@dataclass(frozen=True)
class Overview:
    """What a program will do.

    Attributes:
        text: for people.
        warnings: what is unusual in it, and has to be confirmed.
        noted: the same in English, as the record keeps it.
        data: the same for programs.
    """

    text: Text
    warnings: Sequence[str]
    noted: Sequence[str]
    data: Mapping[str, Any]


def overview(program: Program, gun: str | None = None) -> Overview:
    """The figures of a checked program and its soft problems; `gun` is which gun, in words."""
    figures = estimate(program)
    syringe = get_syringe(program.syringe)
    warnings = _unusual(program)
    with speak("en"):
        noted = _unusual(program)
    rows = [
        (_("program"), _(program.name)),
        (
            _("technique"),
            f"{_(get_technique(program.technique).title)}, {delivery_in_words(program.delivery)}",
        ),
        *_area(program),
        (_("syringe"), _syringes(program, syringe)),
        (_("needle"), _needle(program)),
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
            _(
                "at most {force} N against {tissue} of tissue; the drive pushes with {most} N"
            ).format(
                force=number(figures.peak_force_n),
                tissue=pressure(TISSUE_KPA),
                most=number(DRIVE_LIMIT_N),
            ),
        ),
        (
            _("pressure"),
            _("there {pressure} of {most}, margin {margin}").format(
                pressure=pressure(figures.peak_pressure_kpa),
                most=pressure(figures.limit_kpa),
                margin=percent(figures.pressure_margin),
            ),
        ),
        (
            _("alarm"),
            _("the gun stops at {pressure}, as if the needle were blocked").format(
                pressure=_stops(figures)
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
        "points": program.area.points if program.area else None,
        **asdict(figures),
        "pressure_margin": figures.pressure_margin,
        "warnings": noted,
    }
    unusual = ["", _("Unusual, to be confirmed before the start:"), *warnings] if warnings else []
    return Overview([Table(rows), *unusual], warnings, noted, data)


def _stops(figures: Estimate) -> str:
    low, high = (pressure(kpa) for kpa in figures.stops_kpa)
    return low if low == high else _("{low} to {high}, by step").format(low=low, high=high)


def _unusual(program: Program) -> list[str]:
    return [str(problem) for problem in check(program) if not problem.hard]


def _area(program: Program) -> list[tuple[str, str]]:
    area = program.area
    if area is None:
        return []
    text = ngettext(
        "{width} x {height} mm, {count} point {spacing} mm apart",
        "{width} x {height} mm, {count} points {spacing} mm apart",
        area.points,
    ).format(
        width=number(area.width_mm, 1, trim=True),
        height=number(area.height_mm, 1, trim=True),
        count=area.points,
        spacing=number(area.spacing_mm, 1, trim=True),
    )
    return [(_("area"), text)]


def _syringes(program: Program, syringe: Syringe) -> str:
    """The syringe, and what to draw up into it, or into each."""
    parts = loads(planned_steps(program), syringe.usable_nl)
    fills = _(" and ").join(volume(volumes(part).fill_nl) for part in parts)
    if len(parts) == 1:
        return _("{syringe}, draw up {volume}").format(syringe=syringe.title, volume=fills)
    return _("{count} of {syringe}, draw up {volumes}").format(
        count=len(parts), syringe=syringe.title, volumes=fills
    )


def _needle(program: Program) -> str:
    layers = ", ".join(
        f"{layer.id.upper()} {_(layer.title)}"
        for layer in catalog.layers().values()
        if layer.id in get_technique(program.technique).layers
        and layer.depth_mm.low < program.depth_mm <= layer.depth_mm.high
    )
    return _("{needle}, depth {depth} mm{layers}").format(
        needle=get_needle(program.needle).title,
        depth=number(program.depth_mm, 2, trim=True),
        layers=f" ({layers})" if layers else "",
    )
