"""The words of a shot, read back one pulse at a time by the rules of `mesogun_protocol.pulse`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesogun_protocol import limits, pulse

motion: Any = import_module("gun.motion")
PLANNER = Path(__file__).with_name("device_plan.py")

FORWARD = 1
START_HZ = 4000
TICKS_PER_S = 5_000_000


class Shot(NamedTuple):
    dose: int
    inject_us: int
    period_us: int
    ramp_us: int
    retract: int
    film: int
    start_hz: int
    stored: int
    max_hz: int
    advance: int
    dose_less: int
    film_less: int


@dataclass
class Track:
    """What the words do: every rising edge, and the time they take."""

    edges: list[tuple[int, int]] = field(default_factory=list)
    ticks: int = 0
    longest_dwell: int = 0  # without a look at the interlock

    def steps(self, direction: int) -> int:
        return sum(way == direction for _, way in self.edges)

    def between(self, start: int, end: int) -> list[int]:
        return [at for at, _ in self.edges if start <= at < end]


def run(words: Sequence[int]) -> Track:
    """Follow the description of `pulse`, item by item."""
    assert len(words) % 2 == 0
    track = Track()
    for word, interval in zip(words[::2], words[1::2], strict=True):
        assert 0 <= interval <= pulse.INTERVAL_MAX
        direction = word >> pulse.DIRECTION_BIT & 1
        count = (word >> pulse.COUNT_SHIFT) + 1
        track.ticks += pulse.SEGMENT_TICKS
        for _ in range(count):
            if word >> pulse.KIND_BIT & 1:
                track.edges.append((track.ticks + pulse.EDGE_TICKS, direction))
                track.ticks += interval + pulse.PULSE_TICKS
            else:
                track.ticks += interval + pulse.DWELL_TICKS
                track.longest_dwell = max(track.longest_dwell, interval + pulse.DWELL_TICKS)
    return track


def timing_of(shot: Shot) -> Any:
    timing = motion.Timing()
    timing.set(*shot[:9])
    return timing


def plan(shot: Shot, timing: Any) -> Any:
    block = motion.Block()
    dose, film = shot.dose - shot.dose_less, shot.film - shot.film_less
    block.plan(timing, shot.advance, dose, shot.retract, film)
    return block


@st.composite
def shots(draw: st.DrawFn) -> Shot:
    """A shot of a train that keeps the bounds of the wire and of the drive."""
    inject_us = draw(st.integers(limits.INJECT_MIN_US, 400_000))
    ramp_us = draw(st.one_of(st.just(0), st.integers(0, inject_us // 4)))
    most = (inject_us - ramp_us) * limits.STEP_RATE_MAX_HZ // 1_000_000
    dose = draw(st.integers(5, min(most, 8000)))
    retract = draw(st.one_of(st.just(0), st.integers(1, 1500)))
    film = draw(st.one_of(st.just(0), st.integers(1, 500)))
    start_hz = draw(st.integers(100, 20_000))
    stored = draw(st.one_of(st.just(0), st.integers(1, 1500)))
    max_hz = draw(st.integers(start_hz, limits.STEP_RATE_MAX_HZ))
    timing = motion.Timing()
    timing.set(
        *(dose, inject_us, limits.PERIOD_MAX_US, ramp_us, retract, film, start_hz, stored, max_hz)
    )
    spare_us = draw(st.one_of(st.just(0), st.integers(0, 3_000_000)))
    period_us = max(timing.needed_us + spare_us, limits.PERIOD_MIN_US)
    assert period_us <= limits.PERIOD_MAX_US
    return Shot(
        *(dose, inject_us, period_us, ramp_us, retract, film, start_hz, stored, max_hz),
        advance=draw(st.sampled_from((0, retract))),
        dose_less=draw(st.integers(0, 1)),
        film_less=draw(st.sampled_from((0, min(1, film), film))),
    )


@pytest.mark.req("R10", "R12")
@given(shots())
def test_a_block_has_every_step_and_lasts_its_period(shot: Shot) -> None:
    timing = timing_of(shot)
    block = plan(shot, timing)
    assert block.count <= motion.MAX_WORDS == len(block.words)
    track = run(block.words[: block.count])
    early = timing.early_steps
    dose = shot.dose - shot.dose_less + shot.film - shot.film_less
    assert 0 <= early <= shot.stored
    assert track.steps(FORWARD) == shot.advance + early + dose
    assert track.steps(0) == early + shot.retract
    assert track.ticks == shot.period_us * pulse.TICKS_PER_US
    assert block.block_us == shot.period_us
    assert track.edges[-1][0] < block.motion_us * pulse.TICKS_PER_US
    assert block.block_us - block.motion_us >= limits.DWELL_MIN_US


@pytest.mark.req("R14")
@given(shots())
def test_a_dwell_looks_at_the_interlock_all_the_time(shot: Shot) -> None:
    block = plan(shot, timing_of(shot))
    assert run(block.words[: block.count]).longest_dwell < 2000 * pulse.TICKS_PER_US


@given(shots())
def test_an_injection_begins_at_the_same_offset_and_takes_its_time(shot: Shot) -> None:
    timing = timing_of(shot)
    start, end = dose_ticks(timing)
    for advance in {0, shot.retract}:
        track = run_block(plan(shot._replace(advance=advance), timing))
        assert len(track.between(0, timing.move_ticks)) == advance
        assert len(track.between(timing.move_ticks, start)) == timing.build_steps
        dose = track.between(start, end)
        assert len(dose) == shot.dose - shot.dose_less + timing.early_steps - timing.build_steps
        assert len(dose) * 2 >= shot.dose - 2
        assert dose[0] == start + pulse.SEGMENT_TICKS + pulse.EDGE_TICKS
        assert end - dose[-1] <= 2 * max(gaps(dose), default=end)
        if shot.retract + timing.early_steps:
            backward = [at for at, way in track.edges if way != FORWARD]
            assert backward[0] - dose[-1] >= motion.TURN_US * pulse.TICKS_PER_US


@given(shots())
def test_the_rate_rises_and_falls_in_levels_and_stays_below_its_peak(shot: Shot) -> None:
    timing = timing_of(shot)
    level, levels = timing.level_ticks, timing.levels
    dose_steps = shot.dose + timing.early_steps - timing.build_steps
    track = run_block(plan(shot, timing))
    start, end = dose_ticks(timing)
    up = [len(track.between(start + k * level, start + (k + 1) * level)) for k in range(levels)]
    down = [len(track.between(end - (k + 1) * level, end - k * level)) for k in range(levels)]
    assert up == down == sorted(up)
    assert all(up)
    plateau = len(track.between(start + levels * level, end - levels * level))
    if levels:
        assert plateau * level >= up[-1] * timing.plateau_ticks
        peak_steps = dose_steps * level / (timing.inject_ticks - levels * level)
        straight = [peak_steps * (2 * k + 1) / (2 * levels) for k in range(levels)]
        assert all(abs(a - b) <= 0.51 for a, b in zip(up, straight, strict=True))
        assert timing.jump_hz == -(-timing.peak_hz // levels)
    else:
        assert timing.jump_hz == timing.peak_hz
    # Each level rounds half a step at most into the plateau, a segment head takes 6 ticks off it.
    rounded_hz = timing.peak_hz * (1 + (levels + 1) / plateau)
    assert min(gaps(track.between(start, end))) >= TICKS_PER_S / rounded_hz - 13


@pytest.mark.parametrize(
    ("dose", "ramp_us", "levels"),
    [
        *((0, 37_500, 0), (8, 37_500, 0), (9, 37_500, 1), (36, 37_500, 2)),
        *((575, 37_500, 7), (576, 37_500, 8), (5_000, 37_500, 8), (5_000, 0, 0)),
    ],
)
def test_a_ramp_has_as_many_levels_as_leave_one_and_a_half_steps(
    dose: int, ramp_us: int, levels: int
) -> None:
    # 9 steps in 150 ms with two ramps of 37.5 ms: 1.5 of them belong to each ramp.
    timing = timing_of(Shot(dose, 150_000, 300_000, ramp_us, 0, 0, START_HZ, 0, 0, 0, 0, 0))
    assert timing.levels == levels


@given(shots())
def test_a_move_gains_and_loses_its_first_rate_a_millisecond_at_most(shot: Shot) -> None:
    timing = timing_of(shot)
    track = run_block(plan(shot, timing))
    start, _ = dose_ticks(timing)
    levels = min(max(shot.max_hz // shot.start_hz, 1), 10)
    for part in (
        track.between(0, timing.move_ticks),
        track.between(timing.move_ticks, start),
        [at for at, way in track.edges if way != FORWARD],
    ):
        # The head of a segment makes one step at a change of the rate later, never sooner.
        rates = [TICKS_PER_S / gap for gap in gaps(part)]
        assert all(rate <= levels * shot.start_hz for rate in rates)
        for way in (part, [-at for at in reversed(part)]):
            for level in range(2, levels + 1):
                reached = next(
                    (
                        n
                        for n, g in enumerate(gaps(way))
                        if g * shot.start_hz * (level - 0.5) < TICKS_PER_S
                    ),
                    None,
                )
                if reached is not None:
                    first = max(shot.start_hz // 1000, 1)
                    assert reached >= first * level * (level - 1) // 2 - 1


@given(shots())
def test_a_film_is_even_and_keeps_to_the_rate_from_standstill(shot: Shot) -> None:
    timing = timing_of(shot)
    track = run_block(plan(shot, timing))
    end = dose_ticks(timing)[1]
    film = [at for at, way in track.edges if way == FORWARD and at >= end]
    assert all(gap >= TICKS_PER_S / shot.start_hz for gap in gaps(film))
    if len(film) > 1:
        assert max(gaps(film)) - min(gaps(film)) <= 1 + pulse.SEGMENT_TICKS


def dose_ticks(timing: Any) -> tuple[int, int]:
    """Where in a block the even part of the dose begins and ends."""
    start = timing.move_ticks + timing.build_ticks
    return start, start + timing.inject_ticks


def gaps(edges: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(edges)]


def run_block(block: Any) -> Track:
    return run(block.words[: block.count])


def test_a_prime_or_flow_takes_its_injection_time_and_no_more() -> None:
    shot = Shot(2422, 600_000, 0, 50_000, 0, 0, START_HZ, 0, 0, 0, 0, 0)
    block = plan(shot, timing_of(shot))
    track = run_block(block)
    assert track.ticks == 600_000 * pulse.TICKS_PER_US
    assert block.motion_us == block.block_us == 600_000
    assert track.steps(FORWARD) == len(track.edges) == 2422


@given(
    st.integers(5, limits.FLOW_MAX_NL * 1000 // limits.PL_PER_STEP_MIN),
    st.integers(limits.FLOW_MIN_US, limits.FLOW_MAX_US),
    st.integers(0, limits.RAMP_MAX_US),
)
def test_a_flow_of_any_length_is_exact(dose: int, inject_us: int, ramp_us: int) -> None:
    assume(ramp_us * 4 <= inject_us <= dose * limits.PERIOD_MAX_US)
    shot = Shot(dose, inject_us, 0, ramp_us, 0, 0, START_HZ, 0, 0, 0, 0, 0)
    timing = timing_of(shot)
    assume(timing.peak_hz <= limits.STEP_RATE_MAX_HZ)
    block = plan(shot, timing)
    words = block.words[: block.count]
    counts = [(word >> pulse.COUNT_SHIFT) + 1 for word in words[::2]]
    items = [interval + pulse.PULSE_TICKS for interval in words[1::2]]
    heads = len(counts) * pulse.SEGMENT_TICKS
    ticks = heads + sum(n * each for n, each in zip(counts, items, strict=True))
    assert all(word >> pulse.KIND_BIT & 1 for word in words[::2])
    assert sum(counts) == dose
    assert ticks == inject_us * pulse.TICKS_PER_US
    assert all(interval <= pulse.INTERVAL_MAX for interval in words[1::2])


@pytest.mark.parametrize(
    "wrong",
    [
        {"advance": 101},
        {"advance": 99},
        {"film_less": -1},
        {"dose_less": 700},
    ],
)
def test_a_shot_that_is_not_of_its_step_is_refused(wrong: dict[str, int]) -> None:
    shot = Shot(726, 150_000, 300_000, 20_000, 100, 20, START_HZ, 0, 0, 100, 0, 0)
    timing = timing_of(shot)
    with pytest.raises(ValueError, match="does not fit its timing"):
        plan(shot._replace(**wrong), timing)


def test_a_rate_that_no_word_holds_is_refused() -> None:
    shot = Shot(100_000, 10_000, 0, 0, 0, 0, START_HZ, 0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="no pulse word"):
        plan(shot, timing_of(shot))


class Small(int):
    """An integer that, as on the gun, stays off the heap: what comes of it must be below 2**30."""


def _checked(name: str) -> Callable[..., Small]:
    def operate(self: Small, *others: int) -> Small:
        result = getattr(int, name)(self, *others)
        assert -(1 << 30) <= result < 1 << 30, f"{name}: {result} is a big integer on the gun"
        return Small(result)

    return operate


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "or", "and"):
    setattr(Small, f"__{_name}__", _checked(f"__{_name}__"))
    setattr(Small, f"__r{_name}__", _checked(f"__r{_name}__"))
Small.__neg__ = _checked("__neg__")


@pytest.mark.req("R43")
@pytest.mark.parametrize(
    ("dose_nl", "pl_per_step", "inject_us"),
    [
        (limits.DOSE_MAX_NL, limits.PL_PER_STEP_MAX, limits.INJECT_MAX_US),
        (limits.DOSE_MAX_NL, 1001, limits.INJECT_MAX_US),
        (limits.DOSE_MIN_NL, limits.PL_PER_STEP_MIN, limits.INJECT_MIN_US),
        (30_000, 41_283, 150_000),
    ],
)
def test_no_shot_makes_a_big_integer(dose_nl: int, pl_per_step: int, inject_us: int) -> None:
    doser = import_module("gun.dose").Doser()
    doser.load(Small(pl_per_step))
    doser.remainder_pl = Small(pl_per_step - 1)
    film_nl, retract = 50_000, 50_000_000 // pl_per_step
    most = -(-dose_nl * 1000 // pl_per_step)
    film = -(-film_nl * 1000 // pl_per_step)
    timing = motion.Timing()
    timing.set(
        *(most, inject_us, limits.PERIOD_MAX_US, inject_us // 4, retract, film, 4_000),
        *(retract, 40_000),
    )
    for name, value in vars(timing).items():
        if isinstance(value, int):
            setattr(timing, name, Small(value))
    block = motion.Block()
    dose, film = doser.take(Small(dose_nl)), doser.take(Small(film_nl))
    block.plan(timing, Small(retract), dose, Small(retract), film)
    assert isinstance(block.motion_us, Small)
    assert max(block.words) < 1 << 30


@given(st.lists(shots(), min_size=20, max_size=60))
@settings(max_examples=5)
def test_micropython_writes_the_same_words(
    micropython: Callable[..., tuple[str, str]], several: list[Shot]
) -> None:
    vectors = [
        [shot[:9], [shot.advance, shot.dose - shot.dose_less, shot.retract, shot.film]]
        for shot in several
    ]
    output, errors = micropython(PLANNER, [], json.dumps(vectors))
    assert errors == ""
    blocks = [plan(shot._replace(film_less=0), timing_of(shot)) for shot in several]
    assert json.loads(output) == [
        [list(b.words[: b.count]), b.motion_us, b.block_us] for b in blocks
    ]
