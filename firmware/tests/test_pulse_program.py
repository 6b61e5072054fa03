"""The PIO programs themselves, assembled from the firmware's source and run cycle by cycle.

Their edges must be those of the virtual gun's arithmetic for the same words: that is what lets the
virtual gun stand for the real one.
"""

import ast
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pio_source import Program, load_program
from pioemu import State, emulate

from mesogun.virtual.pulse_stream import PulseStream
from mesogun_protocol.pulse import (
    EDGE_TICKS,
    PULSE_TICKS,
    SEGMENT_TICKS,
    TICK_NS,
    Segment,
    encode_segment,
)

FIRMWARE = Path(__file__).resolve().parent.parent
PULSE = load_program(FIRMWARE / "hal/rp2040/pulse.py", "pulse_program")
WITNESS = load_program(FIRMWARE / "hal/rp2040/witness.py", "witness_program")

# Bits of the emulated pins.
STEP, DIR, INTERLOCK, ENABLE = 0, 1, 2, 3
NEVER = 1 << 40

segments = st.builds(
    Segment,
    forward=st.booleans(),
    pulses=st.booleans(),
    count=st.integers(1, 4),
    interval=st.sampled_from([0, 0, 1, 2, 5, 13]),
)
trains = st.lists(segments, min_size=1, max_size=4)


def words(train: list[Segment]) -> list[int]:
    return [
        word
        for part in train
        for word in encode_segment(part.forward, part.pulses, part.count, part.interval)
    ]


def run_pulse_program(
    train: list[Segment], opened: int = NEVER, closed: int = NEVER, program: Program = PULSE
) -> tuple[list[tuple[int, bool]], State]:
    """Return rising STEP edges as (tick, forward), and the last state."""

    def interlock(clock: int) -> int:
        return (opened <= clock <= closed) << INTERLOCK

    def over(_opcode: int, state: State) -> bool:
        starved = not state.transmit_fifo and state.output_shift_register.counter >= 32
        return state.program_counter == program.labels["stop"] or (
            starved and state.program_counter == program.labels["load"]
        )

    edges: list[tuple[int, bool]] = []
    begin = state = State(
        transmit_fifo=deque(words(train)), pin_directions=1 << STEP | 1 << DIR | 1 << ENABLE
    )
    for before, state in emulate(
        program.opcodes,
        stop_when=over,
        initial_state=begin,
        input_source=interlock,
        auto_pull=True,
        pull_threshold=32,
        out_base=DIR,
        out_count=1,
        side_set_base=STEP,
        side_set_count=1,
        jmp_pin=INTERLOCK,
        wrap_target=program.wrap_target,
        wrap_top=program.wrap,
    ):
        if state.pin_values & ~before.pin_values & 1 << STEP:
            edges.append((before.clock, bool(state.pin_values >> DIR & 1)))
    return edges, state


def virtual_edges(
    train: list[Segment], opened: int = NEVER, closed: int = NEVER
) -> tuple[list[tuple[int, bool]], PulseStream]:
    stream = PulseStream()
    stream.submit(0, words(train))
    if opened < NEVER:
        stream.set_interlock(opened * TICK_NS, True)
    runs = stream.advance(max(opened, 0) * TICK_NS if opened < NEVER else 0)
    if closed < NEVER:
        # Closed from the next tick on.
        runs += stream.advance((closed + 1) * TICK_NS - 1)
        stream.set_interlock((closed + 1) * TICK_NS - 1, False)
    runs += stream.advance(NEVER * TICK_NS)
    return [(ns // TICK_NS, run.forward) for run in runs for ns in run.edges()], stream


@settings(max_examples=2000)
@given(trains)
def test_every_edge_of_a_train_is_where_the_virtual_gun_has_it(train: list[Segment]):
    edges, state = run_pulse_program(train)
    assert edges == virtual_edges(train)[0]
    # The jump back is the first tick of the segment that would come next.
    assert state.clock == sum(part.ticks for part in train) + 1


def test_at_the_full_clock_the_program_makes_four_million_steps_a_second():
    """Cycles at 125 MHz, several segments, so that what loads one of them is part of the time."""
    clock_hz, wanted_hz = 125_000_000, 4_000_000
    period = clock_hz // wanted_hz
    edges, state = run_pulse_program([Segment(True, True, 200, period - PULSE_TICKS)] * 5)
    assert len(edges) * clock_hz / state.clock >= wanted_hz
    at = [clock for clock, _ in edges]
    assert {b - a for a, b in pairwise(at)} == {period, period + SEGMENT_TICKS}
    fastest, _ = run_pulse_program([Segment(True, True, 1000, 0)])
    assert {b[0] - a[0] for a, b in pairwise(fastest)} == {PULSE_TICKS}


@pytest.mark.req("R14")
@settings(max_examples=2000)
@given(trains, st.integers(0, 300), st.integers(0, 60))
def test_an_open_interlock_ends_a_train_where_the_virtual_gun_ends_it(
    train: list[Segment], opened: int, open_for: int
):
    edges, state = run_pulse_program(train, opened, opened + open_for)
    expected, stream = virtual_edges(train, opened, opened + open_for)
    assert edges == expected
    assert (state.program_counter == PULSE.labels["stop"]) == stream.interlock_latched


@pytest.mark.req("R14")
def test_no_step_comes_later_than_one_step_period_after_the_interlock_opened():
    train = [Segment(True, True, 10, 20)]
    period = train[0].item_ticks
    for opened in range(sum(part.ticks for part in train)):
        edges, _ = run_pulse_program(train, opened)
        assert all(tick <= opened + period for tick, _ in edges)


@pytest.mark.req("R14")
def test_stopped_by_the_interlock_the_program_stays_where_it_is():
    stop = PULSE.labels["stop"]
    assert PULSE.opcodes[stop] == stop  # an unconditional jump to itself, STEP low


def test_step_is_low_in_every_instruction_but_one():
    high = [at for at, opcode in enumerate(PULSE.opcodes) if opcode >> 12 & 1]
    assert high == [PULSE.labels["pulse"] + EDGE_TICKS]


def test_a_step_is_as_long_and_a_direction_as_early_as_the_driver_asks():
    board = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse((FIRMWARE / "boards/reference.py").read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert board["STEP_HIGH_MIN_NS"] <= TICK_NS
    assert board["STEP_LOW_MIN_NS"] <= (PULSE_TICKS - 1) * TICK_NS
    assert board["DIR_SETUP_MIN_NS"] <= (SEGMENT_TICKS - 1) * TICK_NS


def test_at_full_clock_the_program_makes_4_000_000_steps_a_second():
    edges, _ = run_pulse_program([Segment(True, True, 200, 0)])
    cycles = {later - earlier for (earlier, _), (later, _) in pairwise(edges)}
    assert cycles == {PULSE_TICKS}
    assert 125_000_000 / PULSE_TICKS >= 4_000_000


def test_the_shift_register_is_filled_as_the_words_ask_for():
    assert PULSE.options["autopull"] == "True"
    assert PULSE.options["pull_thresh"] == "32"
    assert PULSE.options["out_shiftdir"] == "rp2.PIO.SHIFT_RIGHT"
    assert PULSE.options["sideset_init"] == "rp2.PIO.OUT_LOW"


# The witness looks at the pins at the full clock, 25 cycles a tick or more; here it gets 5.
CYCLES = 5


def run_witness(
    train: list[Segment], budget: int
) -> tuple[int, int, list[int], list[tuple[int, bool]]]:
    """Return forward and backward steps, cycles at which it switched off, and the edges."""
    edges = virtual_edges(train)[0]
    levels: list[int] = []
    for tick, forward in edges:
        last = levels[-1] & 1 << DIR if levels else 0
        levels += [last] * ((tick - 1) * CYCLES - len(levels))
        levels += [forward << DIR] * CYCLES + [forward << DIR | 1 << STEP] * CYCLES
    levels += [levels[-1] & ~(1 << STEP) if levels else 0] * 20

    def pins(clock: int) -> int:
        return levels[clock]

    start = max(budget - 1, 0)
    begin = state = State(x_register=start, pin_directions=1 << ENABLE)
    switched: list[int] = []
    for before, state in emulate(
        WITNESS.opcodes,
        stop_when=lambda _opcode, state: state.clock >= len(levels),
        initial_state=begin,
        input_source=pins,
        jmp_pin=DIR,
        set_base=ENABLE,
        set_count=1,
        wrap_target=WITNESS.wrap_target,
        wrap_top=WITNESS.wrap,
    ):
        if state.pin_values & ~before.pin_values & 1 << ENABLE:
            switched.append(before.clock)
    modulus = 1 << 32
    forward = (start - state.x_register) % modulus
    return forward, -state.y_register % modulus, switched, edges


@pytest.mark.req("R05", "R10")
@settings(max_examples=400)
@given(trains, st.integers(1, 20))
def test_the_witness_counts_each_edge_and_switches_off_at_the_last_step_of_the_budget(
    train: list[Segment], budget: int
):
    forward, backward, switched, edges = run_witness(train, budget)
    ticks = [tick for tick, is_forward in edges if is_forward]
    assert (forward, backward) == (len(ticks), len(edges) - len(ticks))
    if forward < budget:
        assert switched == []
    else:
        (cycle,) = switched
        assert 0 < cycle - ticks[budget - 1] * CYCLES <= 4


def test_the_driver_is_off_before_anything_is_armed():
    assert WITNESS.options["set_init"] == "rp2.PIO.OUT_HIGH"


def test_a_value_leaves_the_witness_in_one_instruction():
    assert WITNESS.options["autopush"] == "True"
    assert WITNESS.options["push_thresh"] == "32"


def test_both_programs_fit_into_the_instruction_memory_of_a_block():
    programs: list[Any] = [PULSE, WITNESS]
    assert all(len(program.opcodes) <= 32 for program in programs)
