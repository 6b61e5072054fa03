"""The step budget: whatever the pulse words say, no step more than was armed moves the plunger."""

from dataclasses import replace

import pytest
from benches.bench import Bench, Line
from health import Health
from sessions import SHOT, press, recover, start, steps_of

from mesogun.gun import Gun
from mesogun_protocol.enums import ControllerState, Fault

# Ramped, so that most of its words are still in memory when it has begun.
_RAMPED = replace(SHOT, ramp_us=20_000, period_us=400_000)


@pytest.mark.req("R05", "R16")
@pytest.mark.parametrize("count", [1, 2])
def test_words_that_grow_in_memory_are_cut_at_the_budget(
    bench: Bench, gun: Gun, health: Health, count: int
) -> None:
    """The processor hangs, so nothing but hardware can end it; not so long that it is reset."""
    health.faults = [Fault.BUDGET_EXHAUSTED]
    planned = _grow(bench, gun, count)
    bench.stop_processor(1.9)
    bench.run_for(0.1)
    assert _driven_steps(bench) in range(planned, planned + planned // 100 + 3)
    _assert_over(bench, gun, Fault.BUDGET_EXHAUSTED)


@pytest.mark.req("R05", "R16")
def test_a_processor_that_runs_ends_them_before_that(
    bench: Bench, gun: Gun, health: Health
) -> None:
    health.faults = [Fault.STEP_COUNT_MISMATCH]
    planned = _grow(bench, gun, 2)
    bench.run_for(2)
    assert _driven_steps(bench) <= planned
    _assert_over(bench, gun, Fault.STEP_COUNT_MISMATCH)


def _grow(bench: Bench, gun: Gun, count: int) -> int:
    """Lengthen the first shot of a program while it moves; return the steps that were planned."""
    planned = count * steps_of(_RAMPED.dose_nl)
    start(gun, replace(_RAMPED, count=count))
    while not bench.steps().forward:
        bench.run_for(0.001)
    bench.lengthen_words(2 * planned)
    return planned


def _assert_over(bench: Bench, gun: Gun, fault: Fault) -> None:
    assert not bench.driver_on()
    status = gun.status()
    assert (status.state, status.fault) == (ControllerState.FAULT, fault)
    made = bench.steps()
    press(bench)
    recover(gun, fault)
    press(bench)
    assert bench.steps() == made


def _driven_steps(bench: Bench) -> int:
    """Return how many pulses came while the motor had current."""
    steps, on = 0, False
    for change in bench.changes():
        if change.line is Line.DRIVER:
            on = change.high
        steps += on and change.line is Line.STEP and change.high
    return steps
