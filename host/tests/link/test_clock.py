from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.link import DeviceClock

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


def sampled(drift, offset_s, round_trips_s, period_s=0.5):
    """A clock that was read once each period; the device reads at a third of the round trip."""
    clock = DeviceClock(0.0, NOON)
    for number, round_trip_s in enumerate(round_trips_s):
        sent_s = number * period_s
        device_s = (sent_s + round_trip_s / 3 - offset_s) * (1 + drift)
        clock.add(sent_s, sent_s + round_trip_s, int(device_s * 1000) % (1 << 32))
    return clock


def test_one_sample_maps_within_half_its_round_trip():
    clock = DeviceClock(100.0, NOON)
    clock.add(100.0, 100.01, 5000)
    assert clock.host_s(5000) == pytest.approx(100.005, abs=0.005)
    assert clock.host_s(6000) == pytest.approx(101.005, abs=0.005)


@given(
    st.floats(-50e-6, 50e-6),
    st.floats(-1e5, 0),
    st.lists(st.floats(0.0005, 0.004), min_size=200, max_size=200),
)
def test_drift_and_offset_are_found(drift, offset_s, round_trips_s):
    clock = sampled(drift, offset_s, round_trips_s)
    for host_s in (0.0, 50.0, 100.0):
        device_ms = int((host_s - offset_s) * (1 + drift) * 1000) % (1 << 32)
        assert clock.host_s(device_ms) == pytest.approx(host_s, abs=0.002)


def test_the_drift_is_measured_and_not_guessed():
    clock = sampled(30e-6, -10.0, [0.001] * 600)
    assert clock.drift == pytest.approx(-30e-6, abs=3e-6)


def test_without_a_base_line_the_drift_stays_near_zero():
    clock = sampled(0.0, 0.0, [0.004, 0.001, 0.003, 0.001], period_s=0.002)
    assert abs(clock.drift) < 1e-6


def test_slow_answers_count_little():
    quick = sampled(0.0, 0.0, [0.001] * 20)
    mixed = sampled(0.0, 0.0, [0.001, 0.3] * 20)
    assert mixed.host_s(5000) == pytest.approx(quick.host_s(5000), abs=0.001)


def test_a_clock_that_wraps_goes_on():
    clock = DeviceClock(0.0, NOON)
    clock.add(10.0, 10.001, (1 << 32) - 1000)
    clock.add(12.0, 12.001, 1000)
    assert clock.host_s(2000) == pytest.approx(13.0, abs=0.002)
    assert clock.host_s((1 << 32) - 2000) == pytest.approx(9.0, abs=0.002)


def test_wall_clock_times_carry_their_zone():
    clock = DeviceClock(50.0, NOON)
    clock.add(50.0, 50.0, 1000)
    assert abs(clock.utc(61_000) - (NOON + timedelta(seconds=60))) < timedelta(milliseconds=2)
    assert clock.utc(0).tzinfo is UTC


def test_a_clock_that_was_never_read_says_so():
    with pytest.raises(ValueError, match="never read"):
        DeviceClock(0.0, NOON).utc(5)
