"""The timing of a train of shots: rate, interval, and what must fit between two shots."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesogun.catalog import Technique
from mesogun.program.bounds import is_number, judged, step_bounds
from mesogun.program.locate import Path
from mesogun.program.motion import RAMP_SHARE
from mesogun.program.problems import Problem, show
from mesogun.words import _, general
from mesogun_protocol import limits

DWELL_MIN_S: Final = limits.DWELL_MIN_US / 1e6
_SLACK_S: Final = 0.5e-6
"""Half of what the wire can tell apart, so that 0.1 + 0.02 s is not called shorter than 0.12 s."""


def period_s(step: Mapping[str, Any]) -> float | None:
    """Start of a shot to the start of the next one, None if the step does not tell."""
    inject_s, interval_s = step.get("inject_s"), step.get("interval_s")
    if is_number(step.get("period_s")):
        return float(step["period_s"])
    if is_number(step.get("rate_hz")) and step["rate_hz"] > 0:
        return 1 / step["rate_hz"]
    if is_number(interval_s) and is_number(inject_s):
        return inject_s + interval_s
    return None


def rest_s(step: Mapping[str, Any]) -> float | None:
    """Time between two shots that a film may use, None if the step does not tell."""
    period, inject_s = period_s(step), step.get("inject_s")
    if period is None or not is_number(inject_s):
        return None
    return period - inject_s - DWELL_MIN_S


def _derived(
    path: Path, step: Mapping[str, Any], key: str, technique: Technique | None, period: float
) -> Iterator[Problem]:
    """The pace against bounds that are given for another key than the one in use."""
    bounds = step_bounds("shots", technique)
    values = {
        "period_s": period,
        "rate_hz": 1 / period,
        "interval_s": period - step["inject_s"],
    }
    clinical = technique.shots if technique else None
    for other in ("rate_hz", "interval_s"):
        ruled = other == "rate_hz" or (clinical and clinical.interval_s)
        if other != key and ruled:
            bound, value = bounds[other], values[other]
            what = _("{key} = {step} makes {value} {unit}").format(
                key=key, step=show(step[key]), value=general(value, 4), unit=bound.unit
            )
            if found := judged((*path, key), what, value, bound):
                yield found


def check_pace(
    path: Path, step: Mapping[str, Any], key: str, technique: Technique | None
) -> Iterator[Problem]:
    """Problems of the timing of one train.

    Args:
        path: of the step.
        step: a step of shots whose pace and `inject_s` are each within bounds.
        key: the key that gives the pace.
        technique: None if it is unknown.
    """
    period, rest = period_s(step), rest_s(step)
    if period is None or rest is None:
        return
    dwell_ms = limits.DWELL_MIN_US / 1e3
    if rest < -_SLACK_S:
        yield Problem(
            (*path, key),
            _(
                "{key} = {step}: the next shot begins {period} s after a shot of {inject} s, the "
                "gun needs {dwell} ms between them (source: time to journal a shot). Shorten "
                "inject_s or slow the pace."
            ).format(
                key=key,
                step=show(step[key]),
                period=general(period, 4),
                inject=general(step["inject_s"]),
                dwell=general(dwell_ms),
            ),
        )
        return
    if step.get("film_ul") and rest <= _SLACK_S:
        yield Problem(
            (*path, "film_ul"),
            _(
                "film_ul = {film}: no time is left for it between two shots. Shorten inject_s or "
                "slow the pace."
            ).format(film=show(step["film_ul"])),
        )
    yield from _derived(path, step, key, technique, period)


def check_ramp(path: Path, step: Mapping[str, Any]) -> Iterator[Problem]:
    """A ramp longer than a quarter of its push: the rest would have to be too fast.

    Args:
        path: of the step.
        step: a step of shots or a flow.
    """
    ramp_ms, length = step.get("ramp_ms"), _length(step)
    push_s = step.get("inject_s" if step["kind"] == "shots" else "duration_s")
    if push_s is None and length:
        push_s = length[1]
    if is_number(ramp_ms) and is_number(push_s):
        most_us = round(push_s * 1e6) // RAMP_SHARE
        if round(ramp_ms * 1000) > most_us:
            yield Problem(
                (*path, "ramp_ms"),
                _(
                    "ramp_ms = {ramp}: a ramp may take a quarter of its push, here {most} ms "
                    "(source: the gun's check). Lower ramp_ms or push longer."
                ).format(ramp=show(ramp_ms), most=general(most_us / 1000)),
            )


def _length(step: Mapping[str, Any]) -> tuple[str, float] | None:
    """The key that sets how long a step takes without naming a time, and the time in seconds."""
    period, count = period_s(step), step.get("count")
    rate, volume_ul = step.get("rate_ul_per_s"), step.get("volume_ul")
    if is_number(count) and period is not None:
        return "count", count * period
    if is_number(volume_ul) and is_number(rate) and rate > 0:
        return "volume_ul", volume_ul / rate
    return None


def check_length(
    path: Path, step: Mapping[str, Any], technique: Technique | None
) -> Iterator[Problem]:
    """The length of a step that gives a count or a volume, against the bounds of a duration.

    Args:
        path: of the step.
        step: a step whose own numbers are within bounds.
        technique: None if it is unknown.
    """
    if length := _length(step):
        key, seconds = length
        bound = step_bounds(str(step["kind"]), technique)["duration_s"]
        what = _("{key} = {step} makes {seconds} s").format(
            key=key, step=show(step[key]), seconds=general(seconds, 5)
        )
        if found := judged((*path, key), what, seconds, bound):
            yield found
