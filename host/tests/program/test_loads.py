"""Loads and rests: whatever is changed on the way, nothing is given twice or forgotten."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.catalog import get_syringe
from mesogun.program import PlannedStep, compile_steps, loads, plan, rest, shot_count
from mesogun.program.loads import within
from mesogun.program.planned import volumes
from mesogun_protocol import limits
from mesogun_protocol.enums import StepKind, TriggerMode

SMALL = get_syringe("bd-plastipak-3")

SHOTS = st.builds(
    lambda count, dose_nl, film_every: PlannedStep(
        StepKind.SHOTS,
        TriggerMode.HOLD,
        count=count,
        dose_nl=dose_nl,
        inject_us=100_000,
        period_us=333_000,
        film_nl=3000 if film_every else 0,
        film_every=film_every,
    ),
    st.integers(1, 800),
    st.integers(1000, 100_000),
    st.integers(0, 2),
)
FLOWS = st.integers(10_000, 2_000_000).map(
    lambda dose_nl: PlannedStep(StepKind.FLOW, dose_nl=dose_nl, inject_us=10_000_000)
)
OTHERS = st.sampled_from(
    [
        PlannedStep(StepKind.PAUSE),
        PlannedStep(StepKind.PRIME, TriggerMode.PRESS, dose_nl=50_000, inject_us=1_000_000),
    ]
)
PROGRAMS = st.lists(st.one_of(SHOTS, FLOWS, OTHERS), min_size=1, max_size=8)


def given_nl(steps) -> tuple[int, int, int]:
    volume = volumes(steps)
    return volume.dose_nl, volume.film_nl, volume.prime_nl


@given(PROGRAMS)
@pytest.mark.req("R27")
def test_loads_fit_and_are_together_the_program(steps: list[PlannedStep]):
    parts = loads(steps, SMALL.usable_nl)

    assert all(volumes(part).fill_nl <= SMALL.usable_nl for part in parts)
    together = [step for part in parts for step in part]
    assert shot_count(together) == shot_count(steps)
    assert given_nl(together) == given_nl(steps)


@given(PROGRAMS, st.data())
@pytest.mark.req("R30")
def test_what_was_begun_and_the_rest_are_the_program(steps: list[PlannedStep], data):
    index = data.draw(st.integers(0, len(steps) - 1))
    step = steps[index]
    begun = data.draw(st.integers(0, step.count))
    before = [*steps[:index], *([replace(step, count=begun)] if begun else [])]

    left = rest(steps, index, begun)

    assert shot_count(before) + shot_count(left) == shot_count(steps)
    assert given_nl([*before, *left]) == given_nl(steps)


@given(FLOWS, st.integers(0, 2_000_000))
def test_a_flow_goes_on_at_its_rate(flow: PlannedStep, flowed_nl: int):
    flowed_nl = min(flowed_nl, flow.dose_nl)

    left = rest([flow], 0, 1 if flowed_nl else 0, flowed_nl)

    if flow.dose_nl - flowed_nl < limits.DOSE_MIN_NL:
        assert left == []
    elif left:
        (step,) = left
        assert step.dose_nl == flow.dose_nl - flowed_nl
        rates = [each.dose_nl / each.inject_us for each in (step, flow)]
        assert rates[0] == pytest.approx(rates[1], rel=1e-3)
        assert step.inject_us >= limits.FLOW_MIN_US
    else:
        assert flow.inject_us * (flow.dose_nl - flowed_nl) // flow.dose_nl < limits.FLOW_MIN_US


@given(PROGRAMS, st.integers(0, 20_000_000))
@pytest.mark.req("R04")
def test_a_limit_is_kept_from_the_end(steps: list[PlannedStep], volume_nl: int):
    left = within(steps, volume_nl)

    assert volumes(left).volume_nl <= volume_nl
    assert left[:-1] == steps[: max(len(left) - 1, 0)]
    if volumes(steps).volume_nl <= volume_nl:
        assert left == steps


def test_a_film_that_is_due_after_the_next_shot_stays_due():
    steps = compile_steps(plan("nappage", delivery="mixed"), get_syringe("bd-plastipak-5"))

    first, second = rest(steps, 0, 51)

    assert (first.count, first.film_every) == (1, 1)
    assert (second.count, second.film_every) == (48, 2)
    assert [step.count for step in rest(steps, 0, 52)] == [48]


def test_what_is_larger_than_the_syringe_is_a_part_of_its_own():
    flow = PlannedStep(StepKind.FLOW, dose_nl=4_000_000, inject_us=10_000_000)

    assert [len(part) for part in loads([flow, PlannedStep(StepKind.PAUSE)], SMALL.usable_nl)] == [
        1,
        1,
    ]
