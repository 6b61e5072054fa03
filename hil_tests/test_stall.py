"""A motor that cannot follow is found, whatever its speed."""

import pytest
from benches.bench import Bench
from health import Health
from sessions import PL_PER_STEP, arm, follow, listen, recover

from mesogun.gun import Gun
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState, Fault, StepKind

_STEPS_PER_TURN = 3200
_INJECT_S = 4
_ENDS = (ControllerState.FAULT, ControllerState.DONE)


def _shot_at(rpm: float) -> PlannedStep:
    """Return a shot of four seconds at a speed of the motor."""
    dose_nl = round(rpm / 60 * _STEPS_PER_TURN * _INJECT_S * PL_PER_STEP / 1000)
    return PlannedStep(
        StepKind.SHOTS, dose_nl=dose_nl, inject_us=_INJECT_S * 1_000_000, period_us=5_000_000
    )


@pytest.mark.req("R15", "R26")
@pytest.mark.parametrize("rpm", [40, 15])
def test_a_blocked_plunger_is_found_within_the_shot(
    bench: Bench, gun: Gun, health: Health, rpm: float
) -> None:
    health.faults = [Fault.STALL]
    gun.start(arm(gun, _shot_at(rpm)))
    listen(gun, 1)
    bench.block_plunger()
    status = follow(gun, 4, *_ENDS)
    assert (status.state, status.fault) == (ControllerState.FAULT, Fault.STALL)
    assert not bench.driver_on()
    assert status.shots_done == 0
    bench.free_plunger()
    recover(gun, Fault.STALL)


@pytest.mark.req("R26")
@pytest.mark.parametrize("rpm", [9, 4, 1])
def test_below_10_rpm_the_force_tells_it(
    bench: Bench, gun: Gun, health: Health, rpm: float
) -> None:
    health.faults = [Fault.OCCLUSION]
    gun.start(arm(gun, _shot_at(rpm)))
    listen(gun, 1)
    bench.block_plunger()
    status = follow(gun, 4, *_ENDS)
    assert (status.state, status.fault) == (ControllerState.FAULT, Fault.OCCLUSION)
    assert not bench.driver_on()
    assert status.shots_done == 0


def test_a_syringe_that_is_changed_meets_the_plunger_full(bench: Bench, gun: Gun) -> None:
    bench.block_plunger()
    bench.change_syringe("bd-plastipak-5")
    gun.start(arm(gun, _shot_at(15)))
    assert follow(gun, 10, *_ENDS).state is ControllerState.DONE
