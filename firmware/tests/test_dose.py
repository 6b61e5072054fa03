"""Doses become steps without an error that adds up."""

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import limits

dose: Any = import_module("gun.dose")

CALIBRATIONS = st.integers(limits.PL_PER_STEP_MIN, limits.PL_PER_STEP_MAX)
DOSES = st.lists(st.integers(1, limits.FLOW_MAX_NL), max_size=200)


def doser_with(pl_per_step: int) -> Any:
    doser = dose.Doser()
    doser.load(pl_per_step)
    return doser


@pytest.mark.req("R10")
@given(CALIBRATIONS, DOSES)
def test_after_any_doses_the_steps_are_those_of_their_sum(
    pl_per_step: int, doses: list[int]
) -> None:
    doser = doser_with(pl_per_step)
    steps = total_pl = 0
    for dose_nl in doses:
        steps += doser.take(dose_nl)
        total_pl += dose_nl * 1000
        assert steps == total_pl // pl_per_step
        assert doser.remainder_pl == total_pl - steps * pl_per_step


@given(CALIBRATIONS, DOSES, DOSES)
def test_a_withdrawn_shot_leaves_no_trace(
    pl_per_step: int, before: list[int], withdrawn: list[int]
) -> None:
    doser = doser_with(pl_per_step)
    for dose_nl in before:
        doser.take(dose_nl)
    owed_pl = doser.remainder_pl
    doser.mark()
    for dose_nl in withdrawn:
        doser.take(dose_nl)
    doser.undo()
    assert doser.remainder_pl == owed_pl


def test_a_new_syringe_owes_nothing() -> None:
    doser = doser_with(41_283)
    doser.take(30_000)
    assert doser.remainder_pl == 28_542
    doser.load(15_000)
    doser.undo()
    assert doser.remainder_pl == 0


@pytest.mark.parametrize(("volume_nl", "steps"), [(0, 0), (41, 0), (42, 1), (50_000, 1211)])
def test_whole_steps_of_a_volume(volume_nl: int, steps: int) -> None:
    assert dose.whole_steps(volume_nl, 41_283) == steps
