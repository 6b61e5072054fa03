"""The pulse stream against the state machine, told item by item."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.virtual.pulse_stream import QUEUED_SEGMENTS, PulseStream, PulseStreamError, Run
from mesogun_protocol.pulse import (
    EDGE_TICKS,
    INTERVAL_MAX,
    SEGMENT_TICKS,
    TICK_NS,
    Segment,
    encode_segment,
)

Block = list[Segment]
NEVER_NS = 10**15

segments = st.builds(
    Segment,
    forward=st.booleans(),
    pulses=st.booleans(),
    count=st.integers(1, 6),
    interval=st.sampled_from([0, 0, 1, 2, 7, 40]),
)
blocks = st.lists(segments, min_size=1, max_size=6)
short_blocks = st.lists(segments, min_size=1, max_size=1 + QUEUED_SEGMENTS)
times_ns = st.integers(0, 400 * TICK_NS)


def words(block: Block) -> list[int]:
    return [
        word
        for segment in block
        for word in encode_segment(segment.forward, segment.pulses, segment.count, segment.interval)
    ]


def item_by_item(
    trains: Iterable[Block], *, opened_ns: int = NEVER_NS, closed_ns: int = NEVER_NS
) -> tuple[list[tuple[int, bool]], int | None]:
    """Edges of the state machine, and when the interlock stopped it."""
    edges: list[tuple[int, bool]] = []
    now_ns = 0
    for segment in (segment for block in trains for segment in block):
        now_ns += SEGMENT_TICKS * TICK_NS
        for _ in range(segment.count):
            if opened_ns <= now_ns <= closed_ns:
                return edges, now_ns
            if segment.pulses:
                edges.append((now_ns + EDGE_TICKS * TICK_NS, segment.forward))
            now_ns += segment.item_ticks * TICK_NS
    return edges, None


def ready(budget: int = 10**9) -> PulseStream:
    stream = PulseStream()
    stream.set_budget(0, budget)
    stream.set_driver(0, True)
    return stream


def edges_of(runs: Iterable[Run]) -> list[tuple[int, bool]]:
    return [(edge_ns, run.forward) for run in runs for edge_ns in run.edges()]


def witness(stream: PulseStream) -> tuple[int, int]:
    return stream.forward_steps, stream.backward_steps


def counted(edges: list[tuple[int, bool]]) -> tuple[int, int]:
    forward = sum(1 for _, is_forward in edges if is_forward)
    return forward, len(edges) - forward


@given(blocks, st.lists(times_ns, max_size=8).map(sorted))
def test_edges_and_counts_equal_those_of_the_state_machine(block: Block, looks_ns: list[int]):
    expected, _ = item_by_item([block])
    stream = ready()
    stream.submit(0, words(block))
    end_ns = sum(segment.ticks for segment in block) * TICK_NS
    assert stream.ends_ns == end_ns
    runs: list[Run] = []
    for look_ns in looks_ns:
        runs += stream.advance(look_ns)
        assert witness(stream) == counted([edge for edge in expected if edge[0] <= look_ns])
        assert stream.busy == (look_ns < end_ns)
        assert stream.blocks_done == (0 if stream.busy else 1)
    runs += stream.advance(max([end_ns, *looks_ns]))
    assert edges_of(runs) == expected
    assert sum(run.steps for run in runs) == stream.forward_steps - stream.backward_steps
    for run, following in pairwise(runs):
        assert run.end_ns <= following.start_ns
    for run in runs:
        assert run.start_ns <= run.first_edge_ns <= run.end_ns
        assert run.first_edge_ns + (run.pulses - 1) * run.interval_ns <= run.end_ns


@given(short_blocks, blocks, st.data())
def test_chained_blocks_are_one_unbroken_train(first: Block, second: Block, data: st.DataObject):
    expected, _ = item_by_item([first, second])
    first_end_ns = sum(segment.ticks for segment in first) * TICK_NS
    late_ns = data.draw(st.integers(0, first_end_ns - 1))
    stream = ready()
    stream.submit(0, words(first))
    stream.submit(late_ns, words(second))
    assert stream.next_change_ns() == first_end_ns
    runs = stream.advance(first_end_ns)
    assert stream.blocks_done == 1
    assert stream.next_change_ns() == stream.ends_ns
    assert edges_of(runs + stream.advance(NEVER_NS)) == expected
    assert stream.blocks_done == 2
    assert stream.next_change_ns() is None


@given(blocks, times_ns)
def test_an_abort_leaves_the_edges_up_to_it_and_none_later(block: Block, abort_ns: int):
    expected = [edge for edge in item_by_item([block])[0] if edge[0] <= abort_ns]
    stream = ready()
    stream.submit(0, words(block))
    stream.abort(abort_ns)
    assert not stream.busy
    assert stream.ends_ns is None
    assert edges_of(stream.advance(NEVER_NS)) == expected
    assert witness(stream) == counted(expected)


@given(short_blocks, blocks, times_ns, times_ns, st.lists(times_ns, max_size=5))
def test_an_open_interlock_ends_the_stream_at_the_next_item(
    first: Block, second: Block, opened_ns: int, open_for_ns: int, looks_ns: list[int]
):
    closed_ns = opened_ns + open_for_ns
    expected, stopped_ns = item_by_item([first, second], opened_ns=opened_ns, closed_ns=closed_ns)
    stream = ready()
    acts = [(opened_ns, True), (closed_ns, False), *((look_ns, None) for look_ns in looks_ns)]
    runs: list[Run] = []
    stream.submit(0, words(first))
    stream.submit(0, words(second))
    for act_ns, opens in sorted(acts, key=lambda act: (act[0], act[1] is False)):
        if opens is not None:
            stream.set_interlock(act_ns, opens)
        runs += stream.advance(act_ns)
        assert stream.interlock_latched == (stopped_ns is not None and stopped_ns <= act_ns)
    runs += stream.advance(NEVER_NS)
    assert stream.interlock_latched == (stopped_ns is not None)
    assert edges_of(runs) == expected
    assert witness(stream) == counted(expected)


@given(blocks, times_ns)
def test_the_moment_of_an_interlock_stop_is_announced(block: Block, opened_ns: int):
    _, stopped_ns = item_by_item([block], opened_ns=opened_ns)
    stream = ready()
    stream.submit(0, words(block))
    stream.set_interlock(opened_ns, True)
    if stopped_ns is not None:
        assert stream.next_change_ns() == stream.ends_ns == stopped_ns
        stream.advance(stopped_ns - 1)
        assert stream.busy
        stream.advance(stopped_ns)
        assert not stream.busy
        assert stream.interlock_latched


@pytest.mark.req("R14")
def test_after_an_interlock_stop_nothing_runs_until_restart():
    stream = ready()
    train = words([Segment(True, True, 1000, 496)])
    stream.submit(0, train)
    stream.set_interlock(30_000_000, True)
    steps_at_opening = stream.forward_steps
    stream.set_interlock(31_000_000, False)
    assert stream.forward_steps == steps_at_opening
    assert stream.interlock_latched
    stream.submit(32_000_000, train)
    stream.advance(1_000_000_000)
    assert stream.forward_steps == steps_at_opening
    stream.abort(1_000_000_000)
    stream.submit(1_000_000_000, train)
    stream.advance(2_000_000_000)
    assert stream.forward_steps == steps_at_opening
    stream.restart(2_000_000_000)
    stream.submit(2_000_000_000, train)
    stream.advance(3_000_000_000)
    assert stream.forward_steps == steps_at_opening + 1000


@pytest.mark.req("R05")
@given(blocks, st.integers(0, 30), st.lists(times_ns, max_size=4).map(sorted))
def test_the_budget_cuts_the_driver_and_not_the_witness(
    block: Block, budget: int, looks_ns: list[int]
):
    expected, _ = item_by_item([block])
    forward_ns = [edge_ns for edge_ns, forward in expected if forward]
    stream = ready(budget)
    stream.submit(0, words(block))
    used_up_ns = forward_ns[budget - 1] if 0 < budget <= len(forward_ns) else None
    if used_up_ns is not None:
        assert stream.next_change_ns() == used_up_ns
    runs = [run for look_ns in looks_ns for run in stream.advance(look_ns)]
    runs += stream.advance(NEVER_NS)
    assert edges_of(runs) == expected
    assert witness(stream) == counted(expected)
    assert stream.budget_tripped == (used_up_ns is not None)
    cut_ns = -1 if budget == 0 else NEVER_NS if used_up_ns is None else used_up_ns
    for run in runs:
        for edge_ns in run.edges():
            assert run.driven == (edge_ns <= cut_ns)


def test_a_driver_that_is_off_does_not_hide_pulses_from_the_witness():
    stream = ready()
    stream.submit(0, words([Segment(True, True, 100, 496)]))
    stream.set_driver(4_000_000, False)
    stream.set_driver(6_000_000, True)
    runs = stream.advance(NEVER_NS)
    assert [run.driven for run in runs] == [True, False, True]
    assert sum(run.pulses for run in runs) == stream.forward_steps == 100
    assert runs[1].pulses == 20


@pytest.mark.req("R03")
def test_nothing_moves_at_power_on():
    stream = PulseStream()
    stream.submit(0, words([Segment(True, True, 5, 0)]))
    assert not any(run.driven for run in stream.advance(NEVER_NS))
    stream.set_driver(NEVER_NS, True)
    assert not stream.driver_on


def test_a_block_waits_until_the_one_before_has_left_memory():
    stream = ready()
    train = words([Segment(True, True, 10, 496)] * (2 + QUEUED_SEGMENTS))
    stream.submit(0, train)
    with pytest.raises(PulseStreamError, match="has 4 segments left"):
        stream.submit(0, train)
    stream.submit((SEGMENT_TICKS + 10 * 500) * TICK_NS, train)
    stream.advance(NEVER_NS)
    assert stream.forward_steps == 2 * 40


def test_a_third_block_is_refused():
    stream = ready()
    train = words([Segment(True, True, 10, 0)])
    stream.submit(0, train)
    stream.submit(0, train)
    with pytest.raises(PulseStreamError, match="while 2 are queued"):
        stream.submit(0, train)
    stream.submit(stream.next_change_ns() or 0, train)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ([], "0 words"),
        ([3], "1 words"),
        ([3, INTERVAL_MAX + 1], "word 1"),
        ([3, 0, 1 << 32, 0], "word 0"),
    ],
)
def test_words_that_are_none_are_refused_whole(block: list[int], text: str):
    stream = ready()
    with pytest.raises(PulseStreamError, match=text):
        stream.submit(0, block)
    assert not stream.busy


def test_time_does_not_go_back():
    stream = ready()
    stream.advance(10)
    with pytest.raises(PulseStreamError, match="time 9 ns lies before 10 ns"):
        stream.advance(9)


def test_a_negative_budget_is_refused():
    with pytest.raises(PulseStreamError, match="budget -1"):
        ready().set_budget(0, -1)


def test_a_session_of_one_segment_costs_no_time():
    """45 min at 20 kHz are 54 million pulses; to touch each of them would take seconds."""
    stream = ready()
    stream.submit(0, words([Segment(True, True, 54_000_000, 246)]))
    begin_s = process_time()
    runs = [stream.advance(second * 10**9) for second in range(2701)]
    assert process_time() - begin_s < 1.0
    assert stream.forward_steps == sum(run.pulses for part in runs for run in part) == 54_000_000


def test_a_budget_that_lasts_into_the_next_block_is_announced_after_the_first():
    train = words([Segment(True, True, 10, 496)])
    stream = ready(budget=15)
    stream.submit(0, train)
    stream.submit(0, train)
    first_end_ns = stream.next_change_ns()
    assert first_end_ns == (SEGMENT_TICKS + 10 * 500) * TICK_NS
    assert stream.blocks == 2
    stream.advance(first_end_ns)
    assert stream.blocks == 1
    used_up_ns = first_end_ns + (SEGMENT_TICKS + 4 * 500 + EDGE_TICKS) * TICK_NS
    assert stream.next_change_ns() == used_up_ns
    stream.advance(used_up_ns)
    assert stream.budget_tripped
    assert not stream.driver_on
    stream.set_budget(used_up_ns, 1)
    assert stream.driver_on


def test_an_interlock_that_is_reported_open_twice_has_been_open_since_the_first():
    stream = ready()
    stream.submit(0, words([Segment(True, True, 10, 496)]))
    stream.set_interlock(150_000, True)
    stopped_ns = stream.ends_ns
    stream.set_interlock(160_000, True)
    assert stream.ends_ns == stopped_ns


@given(st.lists(blocks, min_size=1, max_size=1), times_ns, st.integers(1, 5))
def test_words_in_memory_can_grow_and_those_in_hardware_do_not(
    trains: list[Block], at_ns: int, more: int
) -> None:
    stream = PulseStream()
    stream.set_driver(0, True)
    stream.submit(0, words(trains[0]))
    edges = [edge for run in stream.advance(at_ns) for edge in run.edges()]
    begun = 0  # segments that are over, as arithmetic has them
    end_ns = 0
    for segment in trains[0]:
        end_ns += segment.ticks * TICK_NS
        begun += end_ns <= at_ns
    stream.lengthen(at_ns, more)
    edges += [edge for run in stream.advance(at_ns + 10**9) for edge in run.edges()]
    grown = [
        replace(segment, count=segment.count + more)
        if segment.pulses and index > begun + QUEUED_SEGMENTS
        else segment
        for index, segment in enumerate(trains[0])
    ]
    assert edges == [edge_ns for edge_ns, _ in item_by_item([grown])[0]]
