"""The range of each single key: the technique's where it gives one, else the machine's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, TypeGuard

from mesogun.catalog import Bounds, Range, Technique, get_source
from mesogun.program.locate import Path
from mesogun.program.problems import Problem, show
from mesogun.program.shape import kind_of, steps_of
from mesogun.words import N_, _, general
from mesogun_protocol import limits

_UNIT: Final = {
    "count": N_("shots"),
    "depth_mm": "mm",
    "height_mm": "mm",
    "spacing_mm": "mm",
    "width_mm": "mm",
    "dose_ul": "ul",
    "duration_s": "s",
    "film_ul": "ul",
    "inject_s": "s",
    "interval_s": "s",
    "period_s": "s",
    "ramp_ms": "ms",
    "rate_hz": N_("shots/s"),
    "rate_ul_per_s": "ul/s",
    "retract_ul": "ul",
    "compliance_ul_per_kpa": "ul/kPa",
    "total_ul": "ul",
    "viscosity_mpa_s": "mPa s",
    "volume_ul": "ul",
}


@dataclass(frozen=True)
class KeyBound:
    """The range of one key.

    Attributes:
        owner: who sets it: a technique, a syringe or the gun.
        unit: of the numbers.
        low: smallest value that is accepted.
        high: largest value that is accepted.
        source: what the bound rests on, in words.
        usual: outside it a confirmation is needed; None if all that is accepted is usual.
        advice: what else than another value would help.
    """

    owner: str
    unit: str
    low: float
    high: float
    source: str
    usual: Range | None = None
    advice: str = ""


def _machine(key: str, low: float, high: float, why: str) -> KeyBound:
    return KeyBound(N_("the gun"), _UNIT[key], low, high, why)


_WIRE: Final = N_("limit of the gun's protocol")
_SESSION: Final = N_("longest session, 45 min")
_PERIOD_S: Final = limits.PERIOD_MIN_US / 1e6, limits.PERIOD_MAX_US / 1e6
_LONGEST_S: Final = limits.FLOW_MAX_US / 1e6
_DOSE_UL: Final = limits.DOSE_MIN_NL / 1e3, limits.DOSE_MAX_NL / 1e3
_RANGES: Final[dict[str, dict[str, tuple[float, float, str]]]] = {
    "shots": {
        "dose_ul": (*_DOSE_UL, _WIRE),
        "inject_s": (limits.INJECT_MIN_US / 1e6, limits.INJECT_MAX_US / 1e6, _WIRE),
        "interval_s": (limits.DWELL_MIN_US / 1e6, _PERIOD_S[1], N_("time to journal a shot")),
        "period_s": (*_PERIOD_S, N_("requirement R04")),
        "rate_hz": (1 / _PERIOD_S[1], 1 / _PERIOD_S[0], N_("requirement R04")),
        "count": (1, limits.SHOTS_MAX, N_("45 min at 4 shots/s")),
        "duration_s": (_PERIOD_S[0], _LONGEST_S, _SESSION),
        "ramp_ms": (0, limits.RAMP_MAX_US / 1e3, _WIRE),
        "retract_ul": (0, limits.RETRACT_MAX_NL / 1e3, N_("requirement R12")),
        "film_ul": (1, limits.FILM_MAX_NL / 1e3, _WIRE),
    },
    "flow": {
        "rate_ul_per_s": (0.01, 1000, N_("no needle here passes more; assumed")),
        "duration_s": (limits.FLOW_MIN_US / 1e6, _LONGEST_S, _SESSION),
        "volume_ul": (_DOSE_UL[0], limits.FLOW_MAX_NL / 1e3, _WIRE),
        "ramp_ms": (0, limits.RAMP_MAX_US / 1e3, _WIRE),
    },
    "prime": {"volume_ul": (_DOSE_UL[0], limits.PRIME_MAX_NL / 1e3, N_("requirement R29"))},
    "pause": {},
}
_MACHINE: Final = {
    kind: {key: _machine(key, *row) for key, row in rows.items()} for kind, rows in _RANGES.items()
}


def _clinical(technique: Technique, key: str, bounds: Bounds) -> KeyBound:
    titles = dict.fromkeys(get_source(each.source).title for each in (bounds.hard, bounds.usual))
    return KeyBound(
        technique.id,
        _UNIT[key],
        bounds.hard.low,
        bounds.hard.high,
        "; ".join(titles),
        bounds.usual,
        N_(", or use another technique"),
    )


def step_bounds(kind: str, technique: Technique | None) -> dict[str, KeyBound]:
    """The range of each key of a step.

    Args:
        kind: of the step.
        technique: None if it is unknown; then only the machine's ranges hold.
    """
    figures = {"shots": technique.shots, "flow": technique.flow}.get(kind) if technique else None
    clinical = {
        key: _clinical(technique, key, value)
        for key, value in (figures or ())
        if technique and isinstance(value, Bounds)
    }
    return _MACHINE[kind] | clinical


def _top_bounds(technique: Technique | None) -> dict[str, KeyBound]:
    bounds = {
        "viscosity_mpa_s": _machine("viscosity_mpa_s", 0.3, 1000, N_("assumed")),
        "compliance_ul_per_kpa": _machine(
            "compliance_ul_per_kpa", 0.001, 25, N_("from a rigid gun to an infusion pump; assumed")
        ),
    }
    if technique:
        bounds["depth_mm"] = _clinical(technique, "depth_mm", technique.depth_mm)
    return bounds


_LIMITS: Final = {
    "max_shots": KeyBound(
        N_("the gun"), N_("shots"), 1, limits.SHOTS_MAX, N_("45 min at 4 shots/s")
    ),
    "total_ul": _machine("total_ul", 1, limits.SESSION_MAX_NL / 1000, N_("most of one visit")),
}
AREA_BOUNDS: Final = {
    "width_mm": _machine("width_mm", 1, 2000, N_("a body's; assumed")),
    "height_mm": _machine("height_mm", 1, 2000, N_("a body's; assumed")),
    "spacing_mm": _machine(
        "spacing_mm", 0.5, 100, N_("half of the closest and more than the widest of the catalog")
    ),
}


def judged(path: Path, what: str, value: float, bound: KeyBound) -> Problem | None:
    """The problem of one value, None if there is none.

    Args:
        path: its key.
        what: key and value in the words of a message.
        value: the value in the unit of the bound.
        bound: its range.
    """
    usual, unit = bound.usual, bound.unit
    if not bound.low <= value <= bound.high:
        often = (
            _(", usually {low} to {high}").format(low=general(usual.low), high=general(usual.high))
            if usual
            else ""
        )
        allowed = _("{owner} allows {low} to {high} {unit}{often}").format(
            owner=_(bound.owner),
            low=general(bound.low),
            high=general(bound.high),
            unit=_(unit),
            often=often,
        )
        act = _("Lower {key}{advice}") if value > bound.high else _("Raise {key}{advice}")
        act = act.format(key=path[-1], advice=_(bound.advice))
        return Problem(
            path,
            _("{what}: {allowed} (source: {source}). {act}.").format(
                what=what, allowed=allowed, source=_(bound.source), act=act
            ),
        )
    if usual and value not in usual:
        has = _("{owner} usually has {low} to {high} {unit}").format(
            owner=_(bound.owner), low=general(usual.low), high=general(usual.high), unit=_(unit)
        )
        source = get_source(usual.source).title
        act = _("Confirm it, or change {key}").format(key=path[-1])
        return Problem(
            path,
            _("{what}: {has} (source: {source}). {act}.").format(
                what=what, has=has, source=source, act=act
            ),
            hard=False,
        )
    return None


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of a document is a finite number, and no integer beyond all floats."""
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**300


def check_bounds(document: Mapping[str, Any], technique: Technique | None) -> Iterator[Problem]:
    """Every number of a document against the range of its key; what is no number is passed over.

    Args:
        document: a parsed program file.
        technique: whose ranges hold, None if it is unknown.
    """
    tables: list[tuple[Path, Mapping[str, Any], dict[str, KeyBound]]] = [
        ((), document, _top_bounds(technique))
    ]
    for name, bounds in (("limits", _LIMITS), ("area", AREA_BOUNDS)):
        if isinstance(document.get(name), Mapping):
            tables.append(((name,), document[name], bounds))
    for index, step in steps_of(document):
        if kind := kind_of(step):
            tables.append((("step", index), step, step_bounds(kind, technique)))
    for path, table, bounds in tables:
        for key, bound in bounds.items():
            if is_number(value := table.get(key)):
                found = judged((*path, key), f"{key} = {show(value)}", value, bound)
                if found:
                    yield found
