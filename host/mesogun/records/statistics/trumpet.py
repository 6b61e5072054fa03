"""Error of flow over time: start-up curve, trumpet curve and overall error of IEC 60601-2-24.

A balance is read every sample S. The start-up curve shows the mean flow of each sample. The trumpet
curve shows, for windows P of several samples, the largest and the smallest error of the mean flow
over any P of the record:

    Ep(max), Ep(min) = max, min over j of  (S/P) sum over i = j ... j + P/S - 1 of  100 (Qi - r) / r

with Qi the mean flow of sample i, r the set flow and j = 1 ... (T - P)/S + 1. The sum of flows is a
difference of two volumes, and is computed as that. Volumes are nl and flows nl/s here, where the
standard has g of water and ml/h.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from operator import sub
from typing import NamedTuple

from mesogun.errors import UsageError

NOMINAL_SAMPLE_S = 30.0
"""Sample of pumps with a steady flow, and about that of pumps with shots."""

SHOT_WINDOWS = (1, 2, 5, 11, 19, 31)
"""Windows for pumps with shots, in samples."""

CONTINUOUS_WINDOWS = (2, 4, 10, 22, 38, 62)
"""Windows for a steady flow, in samples of 30 s: 1, 2, 5, 11, 19 and 31 min."""

TIMED_CYCLES = 20
"""Shot cycles whose mean is the length of one."""


class FlowPoint(NamedTuple):
    """Mean flow over the sample that ends at `end_s` after the first reading."""

    end_s: float
    flow_nl_s: float


class TrumpetPoint(NamedTuple):
    """Errors of the mean flow over any window of one length, percent of the set flow."""

    window_s: float
    min_percent: float
    max_percent: float


def shot_sample_s(starts_s: Sequence[float]) -> float:
    """Return the sample S for a pump with shots, s: whole shot cycles, near half a minute.

    The length of a cycle is the mean of the first 20; S is the number of cycles that comes nearest
    to 30 s, the smaller if two do, and one if a cycle is longer (IEC 60601-2-24, type 2).

    Args:
        starts_s: when shots began, rising, two or more.

    Raises:
        UsageError: if there is no cycle, or it takes no time.
    """
    timed = starts_s[: TIMED_CYCLES + 1]
    if len(timed) < 2 or not timed[-1] > timed[0]:
        raise UsageError(
            f"{len(starts_s)} shots do not tell the length of a cycle; give the starts of two or "
            "more, in the order of time."
        )
    cycle_s = (timed[-1] - timed[0]) / (len(timed) - 1)
    return max(1, ceil(NOMINAL_SAMPLE_S / cycle_s - 0.5)) * cycle_s


def start_up_curve(volumes_nl: Sequence[float], sample_s: float) -> list[FlowPoint]:
    """Return the mean flow of every sample, Qi = (Vi - Vi-1) / S.

    Args:
        volumes_nl: delivered volume at the start and after every sample (`DeliveryCurve.sample`).
        sample_s: time between two of them.

    Raises:
        UsageError: if there is no sample.
    """
    _check(volumes_nl, sample_s)
    return [
        FlowPoint(number * sample_s, (after - before) / sample_s)
        for number, (before, after) in enumerate(pairwise(volumes_nl), 1)
    ]


def overall_error_percent(volumes_nl: Sequence[float], sample_s: float, set_nl_s: float) -> float:
    """Return the overall error A = 100 (Q - r) / r of the mean flow Q, percent.

    Args:
        volumes_nl: as in `start_up_curve`.
        sample_s: as in `start_up_curve`.
        set_nl_s: set flow r, above 0.

    Raises:
        UsageError: if there is no sample or no set flow.
    """
    _check(volumes_nl, sample_s, set_nl_s)
    asked_nl = (len(volumes_nl) - 1) * sample_s * set_nl_s
    return 100 * ((volumes_nl[-1] - volumes_nl[0]) / asked_nl - 1)


def trumpet(
    volumes_nl: Sequence[float],
    sample_s: float,
    set_nl_s: float,
    windows: Sequence[int] = SHOT_WINDOWS,
) -> list[TrumpetPoint]:
    """Return Ep(min) and Ep(max) for each window that the record is long enough for.

    Args:
        volumes_nl: as in `start_up_curve`; begin after the flow has become steady.
        sample_s: 30 s with `CONTINUOUS_WINDOWS`, `shot_sample_s` with `SHOT_WINDOWS`.
        set_nl_s: set flow r, above 0.
        windows: lengths P in samples, 1 or more each.

    Raises:
        UsageError: if there is no sample, no set flow, or no window fits.
    """
    _check(volumes_nl, sample_s, set_nl_s)
    fitting = [samples for samples in windows if 1 <= samples < len(volumes_nl)]
    if not fitting:
        raise UsageError(
            f"None of the windows of {list(windows)} samples fits a record of "
            f"{len(volumes_nl) - 1}; record longer."
        )
    return [_point(volumes_nl, samples, sample_s, set_nl_s) for samples in fitting]


def _point(
    volumes_nl: Sequence[float], samples: int, sample_s: float, set_nl_s: float
) -> TrumpetPoint:
    window_s = samples * sample_s
    asked_nl = window_s * set_nl_s
    made_nl = list(map(sub, volumes_nl[samples:], volumes_nl))
    return TrumpetPoint(
        window_s, 100 * (min(made_nl) / asked_nl - 1), 100 * (max(made_nl) / asked_nl - 1)
    )


def _check(volumes_nl: Sequence[float], sample_s: float, set_nl_s: float = 1.0) -> None:
    if len(volumes_nl) < 2 or not sample_s > 0:
        raise UsageError(
            f"{len(volumes_nl)} readings every {sample_s} s have no flow; give two or more, and a "
            "time above 0 between them."
        )
    if not set_nl_s > 0:
        raise UsageError(
            f"A set flow of {set_nl_s} nl/s has no error in percent of it; give the flow that was "
            "asked for, above 0."
        )
