"""The two figures that a step is sent with, against a needle that gets blocked."""

from dataclasses import replace

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.program.alarm import with_alarms
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import StepKind, TriggerMode

FAST = PlannedStep(StepKind.FLOW, dose_nl=30_000, inject_us=1_400_000, ramp_us=20_000)
SLOW = PlannedStep(StepKind.FLOW, dose_nl=3_600, inject_us=570_000, ramp_us=20_000)
PAUSE = PlannedStep(StepKind.PAUSE)


def limits_kpa(*steps: PlannedStep) -> list[int]:
    syringe, needle = get_syringe("bbraun-omnifix-10"), get_needle("30g-13")
    return [step.limit_kpa for step in with_alarms(steps, syringe, needle, 1.0, stays=False)]


@pytest.mark.req("R24", "R25")
def test_a_step_that_goes_on_with_more_pressure_than_it_needs_is_not_stopped_for_it() -> None:
    alone, (fast, slow) = limits_kpa(SLOW)[0], limits_kpa(FAST, SLOW)
    assert alone < fast <= slow


@pytest.mark.req("R24", "R25")
def test_shots_into_tissue_that_a_flow_has_filled_may_need_what_both_need() -> None:
    shots = PlannedStep(StepKind.SHOTS, count=2, dose_nl=2_950, inject_us=77_000, period_us=222_000)
    (alone,), (_, behind) = limits_kpa(shots), limits_kpa(FAST, shots)
    assert behind > alone + 20


@pytest.mark.req("R24", "R25")
@pytest.mark.parametrize(
    "steps",
    [(FAST, PAUSE, SLOW), (FAST, replace(SLOW, trigger=TriggerMode.PRESS))],
    ids=["after a pause", "at the next press"],
)
def test_where_the_needle_has_moved_the_step_has_its_own_limit(
    steps: tuple[PlannedStep, ...],
) -> None:
    assert limits_kpa(*steps)[-1] == limits_kpa(SLOW)[0]
