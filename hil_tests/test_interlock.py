"""An open interlock: hardware ends motion within a step, the gun latches it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from benches.bench import Bench, Steps
from health import Health
from sessions import (
    FLOW,
    PAUSE,
    SHOT,
    arm,
    arm_again,
    follow,
    listen,
    load,
    press,
    recover,
    shots,
    start,
)

from mesogun.gun import Gun, Refused
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, TriggerMode

FAULT = ControllerState.FAULT
STEP_NS = 100_000_000 // 350 + 1


@pytest.mark.sampled
@pytest.mark.req("R14", "R16")
@pytest.mark.parametrize("after_s", [0.0203, 0.05, 0.09, 0.2401, 0.28])
def test_a_shot_ends_within_one_step_period(
    bench: Bench, gun: Gun, health: Health, after_s: float
) -> None:
    health.faults = [Fault.INTERLOCK_OPEN]
    start(gun, shots(3))
    bench.run_for(after_s)
    moving = bench.steps().forward
    opened_ns = bench.now_ns()
    bench.open_interlock()
    bench.run_for(1)
    assert 0 < moving <= bench.steps().forward <= moving + 1
    assert not bench.edges_since(opened_ns + STEP_NS)
    assert not bench.driver_on()
    status = gun.status()
    assert (status.state, status.fault) == (FAULT, Fault.INTERLOCK_OPEN)


def _run(gun: Gun) -> None:
    start(gun, shots(3))


def _armed(gun: Gun) -> None:
    arm(gun, SHOT)


def _waiting(gun: Gun) -> None:
    start(gun, shots(3, TriggerMode.HOLD))


def _flowing(gun: Gun) -> None:
    start(gun, FLOW)
    gun.wait(0.3)


def _resting(gun: Gun) -> None:
    start(gun, replace(SHOT, count=2, period_us=3_000_000))
    listen(gun, 1)


def _paused(gun: Gun) -> None:
    start(gun, shots(1), PAUSE)
    follow(gun, 2, ControllerState.PAUSED)


@pytest.mark.req("R14", "R16")
@pytest.mark.parametrize("prepare", [_run, _armed, _waiting, _flowing, _resting, _paused])
def test_it_latches_and_two_actions_lie_before_the_next_step(
    bench: Bench, gun: Gun, health: Health, prepare: Callable[[Gun], None]
) -> None:
    health.faults = [Fault.INTERLOCK_OPEN]
    prepare(gun)
    bench.open_interlock()
    bench.run_for(0.005)
    stopped_ns = bench.now_ns()
    # A question that comes before the gun has looked is answered as of then.
    follow(gun, 0.2, FAULT)
    assert not bench.driver_on()
    with pytest.raises(Refused) as refused:
        gun.clear_fault(Fault.INTERLOCK_OPEN)
    assert refused.value.code is ErrorCode.FAULT_CONDITION
    bench.close_interlock()
    press(bench)
    status = gun.status()
    for forbidden in (
        lambda: gun.start(status.session_id),
        lambda: gun.resume(status.session_id),
        lambda: gun.arm(status.session_id + 1, status.program_crc),
        lambda: gun.prime(10_000, 500_000),
        lambda: load(gun),
    ):
        with pytest.raises(Refused) as refused:
            forbidden()
        assert refused.value.code is ErrorCode.FAULT_LATCHED
    with pytest.raises(Refused):
        gun.clear_fault(Fault.SUPPLY)
    recover(gun, Fault.INTERLOCK_OPEN)
    assert gun.status().state is ControllerState.READY
    press(bench)
    listen(gun, 1)
    assert not bench.edges_since(stopped_ns)
    assert not bench.driver_on()


@pytest.mark.req("R14", "R16")
def test_an_interlock_that_closes_again_at_once_is_not_forgotten(
    bench: Bench, gun: Gun, health: Health
) -> None:
    health.faults = [Fault.INTERLOCK_OPEN]
    start(gun, shots(3))
    bench.run_for(0.05)
    bench.open_interlock()
    # Longer than a step and shorter than the main loop can be.
    bench.run_for(0.0004)
    bench.close_interlock()
    made = bench.steps().forward
    bench.run_for(1)
    assert bench.steps().forward <= made + 1
    assert gun.status().fault is Fault.INTERLOCK_OPEN


def _unloaded(gun: Gun) -> None:
    assert gun.status().state is ControllerState.UNLOADED


def _done(gun: Gun) -> None:
    start(gun, shots(1))
    follow(gun, 1, ControllerState.DONE)


@pytest.mark.req("R14", "R20")
@pytest.mark.parametrize("prepare", [_unloaded, load, _done])
def test_where_nothing_can_move_it_bars_the_way_and_latches_nothing(
    bench: Bench, gun: Gun, prepare: Callable[[Gun], None]
) -> None:
    prepare(gun)
    before, made = gun.status(), bench.steps()
    bench.open_interlock()
    press(bench)
    status = gun.status()
    assert (status.state, status.fault) == (before.state, Fault.NONE)
    load(gun)
    with pytest.raises(Refused) as refused:
        gun.prime(10_000, 500_000)
    assert refused.value.code is ErrorCode.INTERLOCK
    assert (bench.steps(), bench.driver_on()) == (made, False)
    bench.close_interlock()
    arm(gun, SHOT)
    assert bench.driver_on()


def test_nothing_is_armed_with_an_open_interlock(bench: Bench, gun: Gun) -> None:
    load(gun)
    receipt = gun.upload([SHOT])
    bench.open_interlock()
    with pytest.raises(Refused) as refused:
        arm_again(gun, receipt)
    assert refused.value.code is ErrorCode.INTERLOCK
    with pytest.raises(Refused):
        gun.prime(10_000, 500_000)
    bench.close_interlock()
    gun.start(arm_again(gun, receipt))
    follow(gun, 1, ControllerState.DONE)
    assert bench.steps() == Steps(350, 0)


@pytest.mark.req("R16")
def test_after_a_fault_the_program_can_be_armed_again(
    bench: Bench, gun: Gun, health: Health
) -> None:
    health.faults = [Fault.INTERLOCK_OPEN]
    load(gun)
    receipt = gun.upload([shots(3)])
    gun.start(arm_again(gun, receipt))
    bench.run_for(0.25)
    bench.open_interlock()
    bench.run_for(0.1)
    bench.close_interlock()
    made = bench.steps().forward
    recover(gun, Fault.INTERLOCK_OPEN)
    gun.start(arm_again(gun, receipt))
    status = follow(gun, 2, ControllerState.DONE)
    assert status.shots_done == 3
    assert bench.steps().forward - made == status.delivered_steps
