"""Makes a program from a treatment or a technique, and finds what a name means."""

import os
import re
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Final

from mesogun.catalog import Delivery, Setting, near, techniques, treatments
from mesogun.errors import UsageError
from mesogun.program.bounds import AREA_BOUNDS, judged
from mesogun.program.model import (
    FILM_EVERY,
    RAMP_MAX_US,
    SCHEMA,
    Area,
    FlowStep,
    Limits,
    Program,
    ShotsStep,
)
from mesogun.program.planned import planned_step, shot_count, volumes
from mesogun.program.problems import Origin
from mesogun.program.read import checked, load
from mesogun.words import _, general
from mesogun_protocol import limits

_RAMP_PART: Final = 10
"""Part of an injection that a ramp of a planned program takes."""
_AREA: Final = re.compile(
    r"(?P<width>\d+(?:\.\d+)?)(?: *x *(?P<height>\d+(?:\.\d+)?))? *(?P<unit>mm|cm)(?P<square>2)?"
)


def _sides_mm(text: str, spacing_mm: float) -> tuple[float, float]:
    """Width and height of an area as people write it.

    Args:
        text: `12x8 cm`, `120 x 80 mm`, `96 cm2` or `9600 mm2`; a decimal comma is a point. The
            shape of a size alone is not known: a rectangle of whole squares, at most twice as wide
            as high.
        spacing_mm: side of a square.

    Raises:
        UsageError: it is no area, or an empty one.
    """
    found = _AREA.fullmatch(text.strip().lower().replace("²", "2").replace(",", "."))
    if found and bool(found["height"]) != bool(found["square"]):
        mm = 10 if found["unit"] == "cm" else 1
        width = float(found["width"]) * mm
        if found["height"]:
            height = float(found["height"]) * mm
        else:
            width, height = _rectangle_mm(width * mm, spacing_mm)
        if width > 0 and height > 0:
            return round(width, 1), round(height, 1)
    raise UsageError(
        _("area {text} is no area. Write for example 12x8 cm, or 96 cm2.").format(
            text=repr(text[:40])
        )
    )


def _rectangle_mm(size_mm2: float, spacing_mm: float) -> tuple[float, float]:
    """Sides of the rectangle whose number of squares is nearest to that of the size."""
    points = min(round(size_mm2 / spacing_mm**2), limits.SHOTS_MAX + 1)
    sides = [
        (columns, max(1, round(points / columns)))
        for columns in range(isqrt(max(points - 1, 0)) + 1, isqrt(2 * points) + 2)
    ]
    columns, rows = min(sides, key=lambda side: abs(side[0] * side[1] - points))
    return (columns * spacing_mm, rows * spacing_mm) if points else (0.0, 0.0)


def _area(name: str, setting: Setting, area: str | None, spacing_mm: float | None) -> Area | None:
    """The rectangle of points that is asked for, None if the number of shots is the setting's."""
    if area is None:
        if spacing_mm is not None:
            raise UsageError(
                _("spacing_mm = {spacing} needs an area. Give the area too.").format(
                    spacing=general(spacing_mm)
                )
            )
        return None
    spacing = spacing_mm if spacing_mm is not None else setting.spacing_mm
    if setting.spacing_mm is None or spacing is None:
        raise UsageError(
            _("{name} treats single points, not an area. Leave the area out.").format(name=name)
        )
    _require({"spacing_mm": spacing})
    width_mm, height_mm = _sides_mm(area, spacing)
    _require({"width_mm": width_mm, "height_mm": height_mm})
    return Area(width_mm=width_mm, height_mm=height_mm, spacing_mm=spacing)


def _require(values: Mapping[str, float]) -> None:
    """Refuse sides and spacings out of their bounds, before anything is reckoned with them."""
    for key, value in values.items():
        found = judged((key,), f"{key} = {value:g}", value, AREA_BOUNDS[key])
        if found:
            raise UsageError(found.text)


def _setting(name: str) -> tuple[str, str, Setting]:
    """Title, technique and setting of a treatment or technique.

    Raises:
        UsageError: neither has this id.
    """
    if name in treatments():
        treatment = treatments()[name]
        return treatment.title, treatment.technique, treatment.setting
    if name in techniques():
        return techniques()[name].title, name, techniques()[name].setting
    candidates = near(name, [*treatments(), *techniques()])
    meant = (
        _("did you mean {candidates}? ").format(candidates=_(" or ").join(candidates))
        if candidates
        else ""
    )
    raise UsageError(
        _(
            "{name} is no treatment, technique or program file; {meant}`mesogun catalog "
            "treatments` and `mesogun catalog techniques` list the names, a program file ends in "
            ".toml"
        ).format(name=repr(name[:60]), meant=meant)
    )


def plan(
    name: str,
    *,
    syringe: str | None = None,
    needle: str | None = None,
    depth_mm: float | None = None,
    area: str | None = None,
    spacing_mm: float | None = None,
    delivery: Delivery | None = None,
) -> Program:
    """The program of a treatment or a technique.

    Args:
        name: id of a treatment or a technique.
        syringe: id of a syringe in place of the default one.
        needle: id of a needle in place of the default one.
        depth_mm: depth of the needle's tip in place of the default one.
        area: treated area, such as `12x8 cm` or `96 cm2`; sets the number of shots.
        spacing_mm: distance of the points on that area in place of the default one.
        delivery: dry, wet or mixed in place of the default one.

    Returns:
        A program without hard problems; `check` tells the soft ones.

    Raises:
        UsageError: the name is unknown, or an option does not fit it.
        InvalidProgram: the options break hard bounds.
    """
    title, technique, setting = _setting(name)
    treated = _area(name, setting, area, spacing_mm)
    step = _step(setting, treated, delivery or setting.delivery)
    planned = planned_step(step, FILM_EVERY[delivery or setting.delivery])
    program = Program(
        schema=SCHEMA,
        name=title,
        treatment=name if name in treatments() else None,
        technique=technique,
        delivery=delivery or setting.delivery,
        depth_mm=setting.depth_mm if depth_mm is None else depth_mm,
        syringe=syringe or setting.syringe,
        needle=needle or setting.needle,
        area=treated,
        limits=Limits(
            total_ul=volumes([planned]).volume_nl / 1000, max_shots=shot_count([planned])
        ),
        step=(step,),
    )
    return checked(program.placed_at(Origin(name)))


def _step(setting: Setting, area: Area | None, delivery: Delivery) -> ShotsStep | FlowStep:
    """The one step of a planned program."""
    if setting.dose_ul is not None and setting.inject_s is not None:
        return ShotsStep(
            dose_ul=setting.dose_ul,
            inject_s=setting.inject_s,
            interval_s=setting.interval_s,
            rate_hz=setting.rate_hz,
            count=area.points if area else round(setting.volume_ul / setting.dose_ul),
            trigger=setting.trigger,
            ramp_ms=min(setting.inject_s * 1000 / _RAMP_PART, RAMP_MAX_US / 1000),
            film_ul=setting.film_ul if delivery != "dry" else None,
        )
    return FlowStep.model_validate(
        {
            "rate_ul_per_s": setting.rate_ul_per_s,
            "volume_ul": setting.volume_ul,
            "trigger": setting.trigger,
            "ramp_ms": RAMP_MAX_US / 1000,
        }
    )


def resolve(
    name_or_path: str | os.PathLike[str],
    *,
    syringe: str | None = None,
    needle: str | None = None,
    delivery: Delivery | None = None,
) -> Program:
    """The program that a person means.

    Args:
        name_or_path: id of a treatment or a technique, or a program file. A file whose name has no
            directory and no `.toml` is only found if nothing in the catalog is called so.
        syringe: id of a syringe in place of the program's.
        needle: id of a needle in place of the program's.
        delivery: dry, wet or mixed in place of a name's default one; a file says its own.

    Returns:
        A program without hard problems; `check` tells the soft ones.

    Raises:
        UsageError: nothing has this name, or both the catalog and the directory have it.
        ProgramError: the file cannot be read or is no valid program.
    """
    name = os.fspath(name_or_path)
    path = Path(name)
    built_in = name in treatments() or name in techniques()
    if built_in and path.exists():
        raise UsageError(
            _(
                "{name} is both in the catalog and a file here. Write {path} for the file, or "
                "change to another directory for the catalog's."
            ).format(name=repr(name), path=path.resolve())
        )
    named_as_file = path.suffix == ".toml" or os.sep in name
    if not built_in and (named_as_file or os.path.lexists(name)):
        if delivery is not None:
            raise UsageError(
                _(
                    "{name}: a program file says its own delivery. Change `delivery` and `film_ul` "
                    "in it, or give the name of a treatment or technique."
                ).format(name=name)
            )
        given = {"syringe": syringe, "needle": needle}
        return load(path, {key: value for key, value in given.items() if value is not None})
    return plan(name, syringe=syringe, needle=needle, delivery=delivery)
