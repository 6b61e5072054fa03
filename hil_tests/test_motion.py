"""The steps of a shot: as many as planned, when planned."""

import itertools
from dataclasses import replace

import pytest
from benches.bench import Bench, Steps
from health import read_records
from sessions import SHOT, follow, groups, shots, some, start, steps_of

from mesogun.gun import Gun
from mesogun_protocol.enums import ControllerState, RecordKind, TriggerMode

DONE = ControllerState.DONE


@pytest.mark.req("R10")
def test_shot_n_begins_after_exactly_n_periods(bench: Bench, gun: Gun) -> None:
    period_us = 333_333
    count = some(bench, 30, 8)
    start(gun, replace(SHOT, count=count, period_us=period_us))
    follow(gun, 15, DONE)
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    assert len(first) == count
    # The first edge comes one interval of its shot's own rate after its start; within a train these
    # differ by what a shot of one step more is faster.
    for n, at_ns in enumerate(first):
        assert abs(at_ns - first[0] - n * period_us * 1000) <= 1000


@pytest.mark.req("R10")
def test_doses_that_are_whole_steps_repeat_to_the_nanosecond(bench: Bench, gun: Gun) -> None:
    start(gun, replace(SHOT, count=10, dose_nl=28_558, inject_us=300_000, period_us=350_001))
    follow(gun, 5, DONE)
    trains = list(groups(bench.edges_since(0)))
    assert [len(train) for train in trains] == [1000] * 10
    begin_ns = trains[0][0].at_ns
    for n, train in enumerate(trains):
        shift_ns = n * 350_001_000
        assert [edge.at_ns - shift_ns for edge in train] == [edge.at_ns for edge in trains[0]]
        assert train[-1].at_ns - begin_ns - shift_ns <= 300_000_000


@pytest.mark.req("R10")
def test_what_is_less_than_a_step_is_never_lost(bench: Bench, gun: Gun) -> None:
    count = some(bench, 100)
    start(gun, replace(SHOT, count=count, period_us=160_000))
    status = follow(gun, 20, DONE)
    assert status.delivered_steps == steps_of(count * 10_000) == bench.steps().forward
    results = [r.body for r in read_records(gun) if r.kind is RecordKind.SHOT_RESULT]
    assert [body["forward_steps"] for body in results] == [
        steps_of((n + 1) * 10_000) - steps_of(n * 10_000) for n in range(count)
    ]


def test_a_ramp_begins_and_ends_slowly_and_keeps_dose_and_time(bench: Bench, gun: Gun) -> None:
    start(
        gun,
        replace(SHOT, dose_nl=100_000, inject_us=1_000_000, period_us=1_500_000, ramp_us=100_000),
    )
    follow(gun, 3, DONE)
    edges = [edge.at_ns for edge in bench.edges_since(0)]
    assert len(edges) == steps_of(100_000)
    gaps = [b - a for a, b in itertools.pairwise(edges)]
    plateau_ns = gaps[len(gaps) // 2]
    assert gaps[0] > 4 * plateau_ns
    assert gaps[-1] > 4 * plateau_ns
    assert min(gaps) >= plateau_ns - 200
    assert edges[-1] - edges[0] < 1_000_000_000


@pytest.mark.req("R12")
def test_a_retraction_is_taken_up_by_the_next_shot(bench: Bench, gun: Gun) -> None:
    step = replace(SHOT, count=5, retract_nl=2_000, period_us=300_000)
    start(gun, step)
    status = follow(gun, 5, DONE)
    back = steps_of(2_000)
    dose = steps_of(5 * 10_000)
    # Four of the five retractions are taken up; the last one stays, so that nothing drips.
    assert bench.steps() == Steps(dose + 4 * back, 5 * back)
    assert status.delivered_steps == dose
    turns = [
        after.forward
        for before, after in itertools.pairwise(bench.edges_since(0))
        if before.forward != after.forward
    ]
    assert turns == [False, True] * 4 + [False]


@pytest.mark.req("R12")
def test_a_retraction_is_taken_up_by_a_step_that_has_none(bench: Bench, gun: Gun) -> None:
    start(
        gun,
        replace(SHOT, count=2, retract_nl=5_000, period_us=400_000),
        shots(3),
        replace(SHOT, count=1, retract_nl=1_000, period_us=300_000),
        replace(SHOT, count=2, period_us=300_000, trigger=TriggerMode.AUTO),
    )
    status = follow(gun, 10, DONE)
    large, small = steps_of(5_000), steps_of(1_000)
    assert status.delivered_steps == steps_of(8 * 10_000)
    assert bench.steps().backward == 2 * large + small
    assert bench.steps().forward == status.delivered_steps + 2 * large + small
    intents = [r.body for r in read_records(gun) if r.kind is RecordKind.SHOT_INTENT]
    assert [body["advance_steps"] for body in intents] == [0, large, large, 0, 0, 0, small, 0]


@pytest.mark.req("R10", "R12")
def test_what_a_shot_pushes_early_comes_back_and_is_no_dose(bench: Bench, gun: Gun) -> None:
    step = replace(SHOT, count=5, retract_nl=4_000, stored_nl=7_000, period_us=250_000)
    start(gun, step)
    status = follow(gun, 5, DONE)
    back, dose = steps_of(4_000), steps_of(5 * 10_000)
    records = read_records(gun)
    intents = [r.body for r in records if r.kind is RecordKind.SHOT_INTENT]
    early = intents[0]["early_steps"]
    # A part of what is stored leaves the needle while it is taken back.
    assert steps_of(5_000) < early < steps_of(7_000)
    assert {body["early_steps"] for body in intents} == {early}
    assert [body["advance_steps"] for body in intents] == [0, *[back] * 4]
    assert status.delivered_steps == sum(body["dose_steps"] for body in intents) == dose
    assert bench.steps() == Steps(dose + 4 * back + 5 * early, 5 * (back + early))
    results = [r.body for r in records if r.kind is RecordKind.SHOT_RESULT]
    assert [body["backward_steps"] for body in results] == [back + early] * 5
    directions = itertools.groupby(edge.forward for edge in bench.edges_since(0))
    assert [forward for forward, _ in directions] == [True, False] * 5


@pytest.mark.parametrize(("every", "films"), [(1, 6), (2, 3)])
def test_films_lie_between_shots(bench: Bench, gun: Gun, every: int, films: int) -> None:
    step = replace(SHOT, count=6, film_nl=3_000, film_every=every, period_us=500_000)
    start(gun, step)
    status = follow(gun, 5, DONE)
    assert status.delivered_steps == steps_of(6 * 10_000 + films * 3_000)
    intents = [r.body for r in read_records(gun) if r.kind is RecordKind.SHOT_INTENT]
    with_film = [body["dose_steps"] > steps_of(11_000) for body in intents]
    assert with_film == [every == 1 or n % 2 == 1 for n in range(6)]
    assert bench.steps().forward == status.delivered_steps


def test_retraction_and_film_go_together(bench: Bench, gun: Gun) -> None:
    step = replace(SHOT, count=4, film_nl=3_000, film_every=2, retract_nl=1_000, period_us=500_000)
    start(gun, step)
    status = follow(gun, 5, DONE)
    assert status.delivered_steps == steps_of(4 * 10_000 + 2 * 3_000)
    assert bench.steps().backward == 4 * steps_of(1_000)


def test_a_program_of_sixteen_steps(bench: Bench, gun: Gun) -> None:
    start(gun, *(replace(SHOT, dose_nl=2_000 + n * 500) for n in range(16)))
    status = follow(gun, 10, DONE)
    assert (status.step_index, status.shots_done) == (15, 16)
    assert status.delivered_steps == steps_of(sum(2_000 + n * 500 for n in range(16)))
    sizes = [len(group) for group in groups(bench.edges_since(0))]
    assert sizes == sorted(sizes)
