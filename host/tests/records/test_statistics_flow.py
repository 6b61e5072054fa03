"""Volume over time: curves, dribble, start-up and trumpet against closed forms and by hand."""

from collections.abc import Callable
from itertools import accumulate
from math import exp, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.errors import UsageError
from mesogun.records.statistics import (
    Delivery,
    DeliveryCurve,
    FlowPoint,
    TrumpetPoint,
    dribble_nl,
    overall_error_percent,
    shot_sample_s,
    start_up_curve,
    trumpet,
)
from mesogun.records.statistics.trumpet import CONTINUOUS_WINDOWS, SHOT_WINDOWS

BY_HAND_NL = [0.0, 300.0, 660.0, 900.0, 1200.0, 1500.0]
"""Read every 30 s: mean flows of 10, 12, 8, 10 and 10 nl/s."""


def emptying(flow_nl_s: float, tau_s: float, stop_s: float, end_s: float) -> DeliveryCurve:
    """What leaves a needle behind a compliance: steady until the stop, then exp(-t/tau)."""
    times = [i / 100 for i in range(round(end_s * 100) + 1)]
    return DeliveryCurve(
        times,
        [
            flow_nl_s * t
            if t <= stop_s
            else flow_nl_s * (stop_s + tau_s * (1 - exp(-(t - stop_s) / tau_s)))
            for t in times
        ],
    )


def test_a_curve_of_ramps_and_steps() -> None:
    curve = DeliveryCurve.from_deliveries([Delivery(1, 2, 10), Delivery(4, 0, 5)], 0, 6)
    expected = [(0, 0), (1, 0), (1.5, 2.5), (3, 10), (3.9, 10), (4, 15), (6, 15)]
    assert [(t, curve.volume_nl(t)) for t, _ in expected] == expected
    assert curve.sample(0, 1.5) == [0, 2.5, 10, 15, 15]
    assert curve.sample(0.5, 2) == [0, 7.5, 15]
    assert (curve.start_s, curve.end_s) == (0, 6)


def test_deliveries_that_meet_by_rounding_are_one_flow() -> None:
    curve = DeliveryCurve.from_deliveries([Delivery(0.1 * i, 0.1, 1) for i in range(100)], 0, 10)
    assert curve.volume_nl(5) == pytest.approx(50)
    assert len(curve.sample(0, 0.1)) == 101


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda: DeliveryCurve([0], [0]), "1 times and 1 volumes"),
        (lambda: DeliveryCurve([0, 1], [0]), "2 times and 1 volumes"),
        (lambda: DeliveryCurve([0, 2, 1], [0, 0, 0]), "Point 2 .* 1 s, before the one at 2 s"),
        (lambda: DeliveryCurve([0, inf], [0, 0]), "not a finite number"),
        (lambda: DeliveryCurve([0, 1], [0, nan]), "not a finite number"),
        (
            lambda: DeliveryCurve.from_deliveries([Delivery(0, 2, 1), Delivery(1, 1, 1)], 0, 9),
            r"start_s=1, .* begins before 2 s",
        ),
        (lambda: DeliveryCurve.from_deliveries([Delivery(0, -1, 1)], 0, 9), "less than no time"),
        (lambda: DeliveryCurve.from_deliveries([Delivery(0, 2, 1)], 0, 1), "over at 2 s"),
        (lambda: DeliveryCurve([0, 1], [0, 1]).volume_nl(1.1), r"no volume at 1\.1 s"),
        (lambda: DeliveryCurve([0, 1], [0, 1]).volume_nl(nan), "no volume at nan s"),
        (lambda: DeliveryCurve([0, 1], [0, 1]).sample(0, 2), "No sample of 2 s"),
        (lambda: DeliveryCurve([0, 1], [0, 1]).sample(0, 0), "No sample of 0 s"),
        (lambda: DeliveryCurve([0, 1], [0, 1]).sample(-1, 1), "no volume at -1 s"),
        (lambda: dribble_nl(DeliveryCurve([0, 1], [0, 1]), 0.8), r"no volume at 1\.3 s"),
        (lambda: dribble_nl(DeliveryCurve([0, 9], [0, 1]), 1, 1.2), r"until 1\.2 s"),
        (lambda: shot_sample_s([1.0]), "1 shots do not tell"),
        (lambda: shot_sample_s([1.0, 1.0]), "2 shots do not tell"),
        (lambda: start_up_curve([1.0], 30), "1 readings every 30 s"),
        (lambda: start_up_curve([1.0, 2.0], 0), "2 readings every 0 s"),
        (lambda: overall_error_percent([0, 1], 1, 0), "set flow of 0 nl/s"),
        (lambda: trumpet([0, 1], 1, nan), "set flow of nan nl/s"),
        (lambda: trumpet([0, 1], 1, 1, [2, 5]), r"windows of \[2, 5\] .* record of 1;"),
    ],
)
def test_wrong_curves_are_refused(act: Callable[[], object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        act()


def test_start_up_trumpet_and_overall_error_by_hand() -> None:
    assert start_up_curve(BY_HAND_NL, 30) == [
        FlowPoint(30, 10),
        FlowPoint(60, 12),
        FlowPoint(90, 8),
        FlowPoint(120, 10),
        FlowPoint(150, 10),
    ]
    # Pairs have mean flows of 11, 10, 9 and 10; all five of 10, which is 25 % above 8.
    points = trumpet(BY_HAND_NL, 30, 10)
    assert points == [
        pytest.approx(TrumpetPoint(30, -20, 20)),
        pytest.approx(TrumpetPoint(60, -10, 10)),
        pytest.approx(TrumpetPoint(150, 0, 0)),
    ]
    assert overall_error_percent(BY_HAND_NL, 30, 8) == pytest.approx(25)


def test_the_windows_are_those_of_the_standard() -> None:
    assert SHOT_WINDOWS == (1, 2, 5, 11, 19, 31)
    assert [samples * 30 / 60 for samples in CONTINUOUS_WINDOWS] == [1, 2, 5, 11, 19, 31]


@given(
    flows=st.lists(st.floats(-5, 50), min_size=1, max_size=70),
    set_nl_s=st.floats(0.5, 50),
    sample_s=st.floats(0.5, 60),
)
def test_the_trumpet_is_the_double_sum_of_the_standard(
    flows: list[float], set_nl_s: float, sample_s: float
) -> None:
    volumes = list(accumulate((flow * sample_s for flow in flows), initial=0.0))
    for point in trumpet(volumes, sample_s, set_nl_s):
        width = round(point.window_s / sample_s)
        errors = [100 * (flow - set_nl_s) / set_nl_s for flow in flows]
        sums = [
            sum(errors[j : j + width]) * sample_s / point.window_s
            for j in range(len(flows) - width + 1)
        ]
        assert point.max_percent == pytest.approx(max(sums), abs=1e-6)
        assert point.min_percent == pytest.approx(min(sums), abs=1e-6)


@pytest.mark.parametrize(
    ("cycle_s", "sample_s"),
    [(0.25, 30), (7, 28), (10, 30), (12, 24), (20, 20), (25, 25), (30, 30), (40, 40), (50, 50)],
)
def test_a_sample_is_whole_cycles_near_half_a_minute(cycle_s: float, sample_s: float) -> None:
    assert shot_sample_s([cycle_s * i for i in range(30)]) == pytest.approx(sample_s)


def test_only_20_cycles_are_timed() -> None:
    starts = [3 + 10.0 * i for i in range(21)]
    assert shot_sample_s([*starts, 1_000]) == shot_sample_s(starts) == 30


def test_a_mesoperfusion_of_45_minutes() -> None:
    """50,000 nl in 2 s every 10 s, each third shot 3 % short: 1 % is missing in every window."""
    shots = [Delivery(10 * i, 2, 48_500 if i % 3 == 2 else 50_000) for i in range(270)]
    curve = DeliveryCurve.from_deliveries(shots, 0, 2_700)
    sample_s = shot_sample_s([shot.start_s for shot in shots])
    points = trumpet(curve.sample(0, sample_s), sample_s, 5_000)
    assert [point.window_s for point in points] == [30, 60, 150, 330, 570, 930]
    for point in points:
        assert (point.min_percent, point.max_percent) == pytest.approx((-1, -1))


def test_the_longest_nappage() -> None:
    """10,800 shots in 45 minutes, one missing: 1 of 120 in a sample, 1 of 3,720 in 31 samples."""
    shots = [Delivery(0.25 * i, 0.12, 10_000) for i in range(10_800) if i != 5_000]
    curve = DeliveryCurve.from_deliveries(shots, 0, 2_700)
    points = trumpet(curve.sample(0, 30), 30, 40_000)
    assert [point.max_percent for point in points] == pytest.approx([0] * 6, abs=1e-9)
    assert [point.min_percent for point in points] == pytest.approx(
        [-100 / (120 * window) for window in SHOT_WINDOWS]
    )
    assert overall_error_percent(curve.sample(0, 30), 30, 40_000) == pytest.approx(-100 / 10_800)


def test_start_up_behind_a_compliance() -> None:
    """A step of flow q through R C gives a mean of q (1 - tau/S (1 - exp(-S/tau))) at first."""
    tau_s, flow_nl_s = 20.0, 40.0
    times = [i / 10 for i in range(6_001)]
    volumes = [flow_nl_s * (t - tau_s * (1 - exp(-t / tau_s))) for t in times]
    first, *_, last = start_up_curve(DeliveryCurve(times, volumes).sample(0, 30), 30)
    assert first.flow_nl_s == pytest.approx(flow_nl_s * (1 - 20 / 30 * (1 - exp(-1.5))))
    assert last.end_s == 600
    assert last.flow_nl_s == pytest.approx(flow_nl_s, rel=1e-9)


@pytest.mark.parametrize("tau_s", [0.05, 0.3, 2.0])
def test_dribble_of_an_emptying_compliance(tau_s: float) -> None:
    """Q tau is stored at the stop; exp(-0.5 s/tau) of it is still there half a second later."""
    curve = emptying(90_000, tau_s, stop_s=1, end_s=60)
    left_nl = 90_000 * tau_s * exp(-0.5 / tau_s)
    assert dribble_nl(curve, 1) == pytest.approx(left_nl, rel=1e-9, abs=1e-6)
    assert dribble_nl(curve, 1, settling_s=0) == pytest.approx(90_000 * tau_s, rel=1e-9)
    until = left_nl * (1 - exp(-1 / tau_s))
    assert dribble_nl(curve, 1, until_s=2.5) == pytest.approx(until, rel=1e-9, abs=1e-6)


def test_what_is_drawn_in_later_is_not_set_off() -> None:
    curve = DeliveryCurve([0, 1, 2, 3, 4], [0, 10, 14, 9, 11])
    assert dribble_nl(curve, 0.5) == 4
    assert dribble_nl(curve, 0.5, until_s=1.5) == 2
    assert dribble_nl(curve, 1.5) == 0
    assert dribble_nl(curve, 0.5, until_s=1) == 0
