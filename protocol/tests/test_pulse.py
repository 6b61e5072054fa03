"""The layout of a pulse word and its arithmetic."""

from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import pulse
from mesogun_protocol.pulse import Segment, decode_segment, encode_segment

segments = st.builds(
    Segment,
    st.booleans(),
    st.booleans(),
    st.integers(1, pulse.COUNT_MAX),
    st.integers(0, pulse.INTERVAL_MAX),
)


def test_the_layout_is_the_documented_one():
    assert encode_segment(True, True, 1, 7) == (0b11, 7)
    assert encode_segment(False, True, 1, 0) == (0b10, 0)
    assert encode_segment(True, False, 3, 9) == (0b1001, 9)
    assert encode_segment(False, False, pulse.COUNT_MAX, 0) == (0xFFFF_FFFC, 0)


@given(segments)
def test_decoding_undoes_encoding(segment: Segment):
    words = encode_segment(*astuple(segment))
    assert all(0 <= word < 1 << 32 for word in words)
    assert decode_segment(*words) == segment


@pytest.mark.parametrize("count", [0, -1, pulse.COUNT_MAX + 1])
def test_a_count_out_of_range_is_refused_by_name(count: int):
    with pytest.raises(ValueError, match=rf"count {count} is outside 1 to {pulse.COUNT_MAX}"):
        encode_segment(True, True, count, 0)


@pytest.mark.parametrize("interval", [-1, pulse.INTERVAL_MAX + 1])
def test_an_interval_out_of_range_is_refused_by_name(interval: int):
    with pytest.raises(ValueError, match=rf"interval {interval} is outside 0 to"):
        encode_segment(True, True, 1, interval)


@pytest.mark.parametrize("words", [(-1, 0), (1 << 32, 0), (0, -1), (0, pulse.INTERVAL_MAX + 1)])
def test_words_that_no_encoder_makes_are_refused(words: tuple[int, int]):
    with pytest.raises(ValueError, match=r"pulse segment: word [01]"):
        decode_segment(*words)


def test_times_of_a_segment():
    pulses = Segment(forward=True, pulses=True, count=3, interval=10)
    dwell = replace(pulses, pulses=False)
    assert pulses.item_ticks == 10 + pulse.PULSE_TICKS
    assert pulses.ticks == pulse.SEGMENT_TICKS + 3 * (10 + pulse.PULSE_TICKS)
    assert dwell.ticks == pulse.SEGMENT_TICKS + 3 * (10 + pulse.DWELL_TICKS)


def test_the_shortest_pulse_leaves_step_low_for_at_least_one_tick():
    high_ticks = 1
    shortest = Segment(forward=True, pulses=True, count=1, interval=0)
    assert shortest.item_ticks - high_ticks >= 1
    assert 0 < pulse.EDGE_TICKS < shortest.item_ticks


def test_one_segment_holds_the_longest_session():
    """45 min of continuous flow fits into one segment at any whole rate from 1 step/s up."""
    session_ticks = 45 * 60 * 1_000_000 * pulse.TICKS_PER_US
    one_per_second = Segment(True, True, 45 * 60, 1_000_000 * pulse.TICKS_PER_US - 4)
    assert decode_segment(*encode_segment(*astuple(one_per_second))) == one_per_second
    assert one_per_second.ticks - pulse.SEGMENT_TICKS == session_ticks
    assert pulse.TICK_NS * pulse.TICKS_PER_US == 1000
