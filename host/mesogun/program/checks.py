"""Whether a program can be run: every problem of a document, hard ones and soft ones.

First the shape and each number alone, then what follows from several together. A later check is
left out where its own figures are already known to be wrong, so that one mistake is told once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mesogun.catalog import (
    Needle,
    Syringe,
    Technique,
    get_source,
    needles,
    syringes,
    techniques,
    treatments,
    unknown_text,
)
from mesogun.program.accuracy import check_accuracy
from mesogun.program.alarm import STAYS, check_alarm
from mesogun.program.bounds import check_bounds, is_number
from mesogun.program.drive import check_drive
from mesogun.program.force import check_force
from mesogun.program.loads import loads
from mesogun.program.locate import Path
from mesogun.program.model import FILM_EVERY, Program
from mesogun.program.pace import check_length, check_pace, check_ramp
from mesogun.program.planned import (
    MARGIN_PERCENT,
    PlannedStep,
    planned_steps,
    shot_count,
    volumes,
)
from mesogun.program.problems import Problem, placed, show
from mesogun.program.shape import PACING, check_shape, kind_of, steps_of
from mesogun.words import N_, _, general
from mesogun_protocol import limits
from mesogun_protocol.enums import StepKind

T = TypeVar("T")

_KINDS = {
    StepKind.SHOTS: N_("shot"),
    StepKind.FLOW: N_("flow"),
    StepKind.PRIME: N_("prime"),
    StepKind.PAUSE: N_("pause"),
}

_PACE_KEYS = {*PACING, "inject_s", "ramp_ms"}
_VOLUME_KEYS = {"dose_ul", "count", "duration_s", "film_ul", "volume_ul", "rate_ul_per_s", *PACING}


@dataclass(frozen=True)
class _Parts:
    """What the ids of a document stand for, None where one is unknown."""

    technique: Technique | None
    syringe: Syringe | None
    needle: Needle | None


def _known(document: Mapping[str, Any], kind: str, table: Mapping[str, T]) -> T | None:
    name = document.get(kind)
    return table.get(name) if isinstance(name, str) else None


def _unknown_ids(document: Mapping[str, Any]) -> Iterator[Problem]:
    tables = {
        "treatment": treatments(),
        "technique": techniques(),
        "syringe": syringes(),
        "needle": needles(),
    }
    for kind, table in tables.items():
        name = document.get(kind)
        if isinstance(name, str) and name not in table:
            text = unknown_text(kind, name, table)
            yield Problem((kind,), f"{kind} = {show(name)}: {text}.")


def _delivery(document: Mapping[str, Any], technique: Technique) -> Iterator[Problem]:
    """The delivery against the technique, and the films of the steps against the delivery."""
    delivery = document.get("delivery")
    if not isinstance(delivery, str) or delivery not in FILM_EVERY:
        return
    if delivery not in technique.deliveries:
        yield Problem(
            ("delivery",),
            _(
                "delivery = {delivery}: {technique} allows {known} (source: catalog of "
                "techniques). Change delivery, or use another technique."
            ).format(
                delivery=show(delivery),
                technique=technique.id,
                known=", ".join(technique.deliveries),
            ),
        )
        return
    for index, step in steps_of(document):
        if kind_of(step) != "shots":
            continue
        if delivery == "dry" and "film_ul" in step:
            yield Problem(
                ("step", index, "film_ul"),
                _(
                    "film_ul = {film}: a dry delivery lays no film. Remove film_ul, or write "
                    'delivery = "wet".'
                ).format(film=show(step["film_ul"])),
            )
        if delivery != "dry" and "film_ul" not in step:
            yield Problem(
                ("step", index),
                _(
                    "film_ul is missing: a {delivery} delivery lays a film. Write film_ul = NUMBER "
                    'in microlitres, or delivery = "dry".'
                ).format(delivery=delivery),
            )


def _kinds(document: Mapping[str, Any], technique: Technique) -> Iterator[Problem]:
    """Steps that the technique does not have."""
    for index, step in steps_of(document):
        kind = kind_of(step)
        if kind in ("shots", "flow") and getattr(technique, kind) is None:
            other = "flow" if kind == "shots" else "shots"
            yield Problem(
                ("step", index, "kind"),
                _(
                    'kind = "{kind}": {technique} has no {kind} (source: catalog of techniques). '
                    'Write kind = "{other}", or use another technique.'
                ).format(kind=kind, technique=technique.id, other=other),
            )


def _needle(
    document: Mapping[str, Any], technique: Technique | None, needle: Needle
) -> Iterator[Problem]:
    """Whether the needle is long enough, and one that is usual."""
    length, depth = needle.length_mm.value, document.get("depth_mm")
    if is_number(depth) and depth > length:
        yield Problem(
            ("depth_mm",),
            _(
                "depth_mm = {depth}: the needle {needle} is {length} mm long (source: {source}). "
                "Lower depth_mm or take a longer needle."
            ).format(
                depth=show(depth),
                needle=needle.id,
                length=general(length),
                source=get_source(needle.length_mm.source).title,
            ),
        )
    if technique and length not in technique.needle_lengths_mm.values:
        usual = ", ".join(general(each) for each in technique.needle_lengths_mm.values)
        source = get_source(technique.needle_lengths_mm.source).title
        yield Problem(
            ("needle",),
            _(
                "needle = {needle}: {technique} usually has needles of {usual} mm (source: "
                "{source}). Confirm it, or change needle."
            ).format(needle=show(needle.id), technique=technique.id, usual=usual, source=source),
            hard=False,
        )


def _steps(document: Mapping[str, Any], parts: _Parts, bad: set[Path]) -> Iterator[Problem]:
    """Pace and force of each step whose own numbers are right."""
    viscosity = document.get("viscosity_mpa_s", 1.0)
    forced = is_number(viscosity) and ("viscosity_mpa_s",) not in bad
    for index, step in steps_of(document):
        if not (kind := kind_of(step)):
            continue
        path: Path = ("step", index)
        wrong = {str(each[2]) for each in bad if each[:2] == path and len(each) > 2}
        pacing = [key for key in PACING if key in step]
        if kind in ("shots", "flow") and not wrong:
            for problem in check_ramp(path, step):
                wrong.add("ramp_ms")
                yield problem
        if kind == "shots" and len(pacing) == 1 and not wrong & _PACE_KEYS:
            for problem in check_pace(path, step, pacing[0], parts.technique):
                if problem.hard:
                    wrong.add(str(problem.path[-1]))
                yield problem
        if not wrong & (_PACE_KEYS | _VOLUME_KEYS):
            yield from check_length(path, step, parts.technique)
        right = {key: value for key, value in step.items() if key not in wrong}
        if forced and parts.syringe and parts.needle and kind_of(right):
            yield from check_force(path, right, parts.syringe, parts.needle, viscosity)


def _drive(
    document: Mapping[str, Any],
    program: Program,
    syringe: Syringe,
    needle: Needle | None,
    bad: set[Path],
) -> Iterator[Problem]:
    """The drive with each step that has no problem so far, its accuracy, and its alarm."""
    steps = steps_of(document)
    right = [not any(each[:2] == ("step", index) for each in bad) for index, _ in steps]
    if not all(right):
        return
    for (index, step), planned in zip(steps, planned_steps(program), strict=True):
        pace_key = next((key for key in PACING if key in step), "")
        yield from check_drive(("step", index), step, planned, pace_key, syringe)
        if needle:
            yield from check_accuracy(
                ("step", index),
                planned,
                syringe,
                needle,
                program.viscosity_mpa_s,
                advance=program.pressure_advance,
            )
            yield from check_alarm(
                ("step", index),
                step,
                planned,
                syringe,
                needle,
                program.viscosity_mpa_s,
                program.technique == STAYS,
            )


def _volume(program: Program, syringe: Syringe | None) -> Iterator[Problem]:
    """Doses, films and primes against the limits and the syringe."""
    steps = planned_steps(program)
    for index, step in enumerate(steps):
        if step.count > limits.SHOTS_MAX:
            yield Problem(
                ("step", index),
                _(
                    "the step makes {count} shots: the gun takes {most} a step (source: 45 min "
                    "at 4 shots/s). Shorten it, or slow its pace."
                ).format(count=step.count, most=limits.SHOTS_MAX),
            )
    volume = volumes(steps)
    total_ul, planned_ul = program.limits.total_ul, volume.volume_nl / 1000
    if volume.volume_nl > total_ul * 1000 + 0.5:
        yield Problem(
            ("limits", "total_ul"),
            _(
                "total_ul = {total}: the steps deliver {planned} ul (source: this file). Raise "
                "total_ul, or shorten the steps."
            ).format(total=show(total_ul), planned=general(planned_ul)),
        )
    shots, most = shot_count(steps), program.limits.max_shots
    if most is not None and shots > most:
        yield Problem(
            ("limits", "max_shots"),
            _(
                "max_shots = {most}: the steps make {shots} shots (source: this file). Raise "
                "max_shots, or shorten the steps."
            ).format(most=most, shots=shots),
        )
    if syringe:
        yield from _syringes(program, steps, syringe)


def _syringes(
    program: Program, steps: Sequence[PlannedStep], syringe: Syringe
) -> Iterator[Problem]:
    """What the syringe holds against the steps and the limit; a change of syringe is confirmed."""
    volume, total_ul = volumes(steps), program.limits.total_ul
    gives_ul = syringe.usable_nl / 1000
    source = _("capacity less dead space, {source}").format(
        source=get_source(syringe.dead_space_ul.source).title
    )
    parts = loads(steps, syringe.usable_nl)
    needed, largest = len(parts), max(parts, key=lambda part: volumes(part).fill_nl)
    if volumes(largest).fill_nl > syringe.usable_nl:
        yield Problem(
            ("syringe",),
            _(
                "syringe = {syringe}: one {step} needs {fill} ul with {margin} % in "
                "reserve, the syringe gives {gives} ul (source: {source}). Take a larger syringe, "
                "or lower the volume."
            ).format(
                syringe=show(syringe.id),
                step=_(_KINDS[largest[0].kind]),
                fill=general(volumes(largest).fill_nl / 1000),
                margin=MARGIN_PERCENT,
                gives=general(gives_ul),
                source=source,
            ),
        )
        return
    if total_ul > needed * gives_ul:
        of = _(" of {needed} syringes").format(needed=needed) if needed > 1 else ""
        yield Problem(
            ("limits", "total_ul"),
            _(
                "total_ul = {total}: {syringe} allows 1 to {most} ul{of} (source: {source}). Lower "
                "total_ul, or use a larger syringe."
            ).format(
                total=show(total_ul),
                syringe=syringe.id,
                most=general(needed * gives_ul),
                of=of,
                source=source,
            ),
        )
    elif needed > 1:
        yield Problem(
            ("syringe",),
            _(
                "syringe = {syringe}: the program needs {fill} ul (doses and films {volume}, "
                "primes {prime}, {margin} % in reserve), the syringe gives {gives} ul "
                "(source: {source}). Confirm {needed} syringes, changed on the way, or take a "
                "larger one."
            ).format(
                syringe=show(syringe.id),
                fill=general(volume.fill_nl / 1000),
                volume=general(volume.volume_nl / 1000),
                prime=general(volume.prime_nl / 1000),
                margin=MARGIN_PERCENT,
                gives=general(gives_ul),
                source=source,
                needed=needed,
            ),
            hard=False,
        )


def _treatment(program: Program) -> Iterator[Problem]:
    """What is unusual for the treatment that the program names."""
    treatment = treatments().get(program.treatment or "")
    if treatment is None:
        return
    if program.technique != treatment.technique:
        yield Problem(
            ("technique",),
            _(
                "technique = {technique}: {treatment} is treated by {usual} (source: "
                "catalog of treatments). Confirm it, or change technique."
            ).format(
                technique=show(program.technique),
                treatment=treatment.id,
                usual=treatment.technique,
            ),
            hard=False,
        )
    volume_ul = volumes(planned_steps(program)).volume_nl / 1000
    spacing_mm = program.area.spacing_mm if program.area else None
    for path, what, value, unit, range_ in (
        (("depth_mm",), "depth_mm", program.depth_mm, "mm", treatment.depth_mm),
        (("area", "spacing_mm"), "spacing_mm", spacing_mm, "mm", treatment.spacing_mm),
        (("step",), _("the volume of all steps"), volume_ul, "ul", treatment.volume_ul),
    ):
        # Less than the whole region takes less: only more is unusual.
        low = 0.0 if unit == "ul" else range_ and range_.low
        if value is None or range_ is None or low is None or low <= value <= range_.high:
            continue
        others = "; ".join(
            _("{low} to {high} in {source}").format(
                low=general(each.low), high=general(each.high), source=get_source(each.source).title
            )
            for each in range_.others
        )
        yield Problem(
            path,
            _(
                "{what} = {value} {unit}: {treatment} usually has {low} to {high} {unit} (source: "
                "{source}{others}). Confirm it, or change it."
            ).format(
                what=what,
                value=general(value),
                unit=unit,
                treatment=treatment.id,
                low=general(range_.low),
                high=general(range_.high),
                source=get_source(range_.source).title,
                others=f"; {others}" if others else "",
            ),
            hard=False,
        )


def check_document(document: Mapping[str, Any]) -> tuple[Program | None, list[Problem]]:
    """Checks a parsed program file.

    Args:
        document: what `tomllib` made of it.

    Returns:
        The program, None if the document is none; and all problems, not placed yet.
    """
    program, problems = check_shape(document)
    parts = _Parts(
        _known(document, "technique", techniques()),
        _known(document, "syringe", syringes()),
        _known(document, "needle", needles()),
    )
    problems += _unknown_ids(document)
    if parts.technique:
        problems += _delivery(document, parts.technique)
        problems += _kinds(document, parts.technique)
    problems += check_bounds(document, parts.technique)
    if parts.needle and not any(each.path == ("depth_mm",) and each.hard for each in problems):
        problems += _needle(document, parts.technique, parts.needle)
    bad = {each.path for each in problems if each.hard}
    problems += _steps(document, parts, bad)
    if program and parts.syringe:
        bad = {each.path for each in problems if each.hard}
        problems += _drive(document, program, parts.syringe, parts.needle, bad)
    if program and not any(path[-1] in _VOLUME_KEYS for path in bad):
        problems += _volume(program, parts.syringe)
    if program and not bad:
        problems += _treatment(program)
    return program, problems


def check(program: Program) -> tuple[Problem, ...]:
    """All problems of a program, in the order of its file.

    Returns:
        Hard ones, for which it is refused, and soft ones, which need a confirmation (R02).
    """
    return placed(check_document(program.document())[1], program.origin)
