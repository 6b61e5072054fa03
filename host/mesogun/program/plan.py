"""Makes a program from a treatment or a technique, and finds what a name means."""

import os
import re
from pathlib import Path
from typing import Final

from mesogun.catalog import Setting, near, techniques, treatments
from mesogun.errors import UsageError
from mesogun.program.model import RAMP_MAX_US, SCHEMA, FlowStep, Limits, Program, ShotsStep
from mesogun.program.problems import Origin
from mesogun.program.read import checked, load

_RAMP_PART: Final = 10
"""Part of an injection that a ramp of a planned program takes."""
_AREA: Final = re.compile(
    r"(?P<width>\d+(?:\.\d+)?)(?: *x *(?P<height>\d+(?:\.\d+)?))? *(?P<unit>mm|cm)(?P<square>2)?"
)


def area_cm2(text: str) -> float:
    """An area as people write it.

    Args:
        text: `12x8 cm`, `120 x 80 mm`, `96 cm2` or `9600 mm2`.

    Returns:
        Square centimetres.

    Raises:
        UsageError: it is no area, or an empty one.
    """
    found = _AREA.fullmatch(text.strip().lower().replace("²", "2"))
    if found and bool(found["height"]) != bool(found["square"]):
        per_cm = 1 if found["unit"] == "cm" else 10
        area = float(found["width"]) * float(found["height"] or 1) / per_cm**2
        if area > 0:
            return area
    raise UsageError(f"area {text[:40]!r} is no area. Write for example 12x8 cm, or 96 cm2.")


def _points(name: str, setting: Setting, area: str | float | None, spacing_mm: float | None) -> int:
    """Number of shots: of the setting, or one for each square of the spacing on the area."""
    dose_ul = setting.dose_ul or setting.volume_ul
    if area is None:
        if spacing_mm is not None:
            raise UsageError(f"spacing_mm = {spacing_mm:g} needs an area. Give the area too.")
        return round(setting.volume_ul / dose_ul)
    spacing = spacing_mm if spacing_mm is not None else setting.spacing_mm
    if setting.spacing_mm is None or spacing is None:
        raise UsageError(f"{name} treats single points, not an area. Leave the area out.")
    if not 0.5 <= spacing <= 100:
        raise UsageError(
            f"spacing_mm = {spacing:g} must be 0.5 to 100 mm (source: half of the closest and more "
            f"than the widest of the catalog). Change it."
        )
    square_mm = 100 * (area_cm2(area) if isinstance(area, str) else area)
    if not 0 < square_mm <= 2e6:
        raise UsageError(
            f"area {area} cm2 must be above 0 and below 20000 cm2, a body's. Change it."
        )
    return max(1, round(square_mm / spacing**2))


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
    meant = f"did you mean {' or '.join(candidates)}? " if candidates else ""
    raise UsageError(
        f"{name[:60]!r} is no treatment, technique or program file; {meant}"
        f"`mesogun catalog treatments` and `mesogun catalog techniques` list the names, a program "
        f"file ends in .toml"
    )


def plan(
    name: str,
    *,
    syringe: str | None = None,
    needle: str | None = None,
    depth_mm: float | None = None,
    area: str | float | None = None,
    spacing_mm: float | None = None,
) -> Program:
    """The program of a treatment or a technique.

    Args:
        name: id of a treatment or a technique.
        syringe: id of a syringe in place of the default one.
        needle: id of a needle in place of the default one.
        depth_mm: depth of the needle's tip in place of the default one.
        area: treated area as `area_cm2` reads it, or in cm2; sets the number of shots.
        spacing_mm: distance of the points on that area in place of the default one.

    Returns:
        A program without hard problems; `check` tells the soft ones.

    Raises:
        UsageError: the name is unknown, or an option does not fit it.
        InvalidProgram: the options break hard bounds.
    """
    title, technique, setting = _setting(name)
    points = _points(name, setting, area, spacing_mm)
    if setting.dose_ul is not None and setting.inject_s is not None:
        volume_ul = points * setting.dose_ul
        step = ShotsStep(
            dose_ul=setting.dose_ul,
            inject_s=setting.inject_s,
            interval_s=setting.interval_s,
            rate_hz=setting.rate_hz,
            count=points,
            trigger=setting.trigger,
            ramp_ms=min(setting.inject_s * 1000 / _RAMP_PART, RAMP_MAX_US / 1000),
        )
    else:
        volume_ul = setting.volume_ul
        step = FlowStep.model_validate(
            {
                "rate_ul_per_s": setting.rate_ul_per_s,
                "volume_ul": volume_ul,
                "trigger": setting.trigger,
                "ramp_ms": RAMP_MAX_US / 1000,
            }
        )
    program = Program(
        schema=SCHEMA,
        name=title,
        technique=technique,
        delivery=setting.delivery,
        depth_mm=setting.depth_mm if depth_mm is None else depth_mm,
        syringe=syringe or setting.syringe,
        needle=needle or setting.needle,
        limits=Limits(total_ul=volume_ul, max_shots=points),
        step=(step,),
    )
    return checked(program.placed_at(Origin(name)))


def resolve(
    name_or_path: str | os.PathLike[str],
    *,
    syringe: str | None = None,
    needle: str | None = None,
) -> Program:
    """The program that a person means.

    Args:
        name_or_path: id of a treatment or a technique, or a program file. A file whose name has no
            directory and no `.toml` is only found if nothing in the catalog is called so.
        syringe: id of a syringe in place of the program's.
        needle: id of a needle in place of the program's.

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
            f"{name!r} is both in the catalog and a file here. Write "
            f"{path.resolve()} for the file, or change to another directory for the catalog's."
        )
    named_as_file = path.suffix == ".toml" or os.sep in name
    if not built_in and (named_as_file or os.path.lexists(name)):
        given = {"syringe": syringe, "needle": needle}
        return load(path, {key: value for key, value in given.items() if value is not None})
    return plan(name, syringe=syringe, needle=needle)
