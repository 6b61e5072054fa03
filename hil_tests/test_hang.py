"""The processor hangs: hardware ends the motion, the watchdog the silence; nothing resumes."""

import pytest
from benches.bench import Bench, Steps
from health import Health, read_records
from sessions import FLOW, SHOT, arm, follow, groups, listen, shots, start, steps_of

from mesogun.gun import Gun, Limits, Refused
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    Fault,
    RecordKind,
    ResetCause,
    TriggerMode,
)

_WATCHDOG_S = 2.0
_HANGS = {
    "shots": (shots(20), 2),
    "held": (shots(20, TriggerMode.HOLD), 2),
    "flow": (FLOW, 1),
}


@pytest.mark.req("R17", "R18", "R19", "R40")
@pytest.mark.parametrize("name", _HANGS)
def test_a_hung_processor_is_reset_and_resumes_nothing(
    bench: Bench, gun: Gun, health: Health, name: str
) -> None:
    health.restarts = 1
    step, most_shots = _HANGS[name]
    session_id = start(gun, step)
    if step.trigger is TriggerMode.HOLD:
        bench.press()
    bench.run_for(0.25)
    began_ns, made = bench.now_ns(), bench.steps().forward
    bench.stop_processor(_WATCHDOG_S + 0.5)
    assert bench.now_ns() <= began_ns + round((_WATCHDOG_S + 0.01) * 1e9)
    assert not bench.driver_on()
    reset_ns = bench.now_ns()
    health.before = bench.steps()
    # The shot that ran, and the one that stood behind it; a flow has no more than its dose.
    assert health.before.forward - made <= steps_of(most_shots * step.dose_nl) + 1
    bench.release()
    bench.run_for(1)
    assert gun.reconnect(bench.connect())
    assert (gun.info.boot_id, gun.info.reset_cause) == (2, ResetCause.WATCHDOG)
    assert gun.status().state is ControllerState.UNLOADED
    assert gun.get_limits() == Limits(0, 0, 0)
    with pytest.raises(Refused):
        gun.start(session_id)
    listen(gun, 1)
    assert not bench.edges_since(reset_ns)
    assert not bench.driver_on()
    boots = [r.body for r in read_records(gun) if r.kind is RecordKind.BOOT]
    assert [body["reset_cause"] for body in boots] == [ResetCause.POWER_ON, ResetCause.WATCHDOG]


@pytest.mark.req("R15", "R17")
def test_a_train_whose_next_shot_comes_too_late_ends(
    bench: Bench, gun: Gun, health: Health
) -> None:
    health.faults = [Fault.UNDER_RUN]
    start(gun, shots(10))
    bench.run_for(0.25)
    bench.stop_processor(1.0)
    made = bench.steps()
    assert len(list(groups(bench.edges_since(0)))) <= 3
    status = follow(gun, 1, ControllerState.FAULT)
    assert status.fault is Fault.UNDER_RUN
    assert not bench.driver_on()
    listen(gun, 1)
    assert bench.steps() == made
    assert made.forward % steps_of(10_000) <= 2, "a shot was cut off or stretched"
    ends = [r.body["reason"] for r in read_records(gun) if r.kind is RecordKind.SESSION_END]
    assert ends == [EndReason.FAULTED]


def test_a_short_stop_of_the_processor_delays_no_step(bench: Bench, gun: Gun) -> None:
    start(gun, shots(5))
    bench.run_for(0.25)
    bench.stop_processor(0.1)
    status = follow(gun, 3, ControllerState.DONE)
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    assert [round((at_ns - first[0]) / 1e5) for at_ns in first] == [0, 2000, 4000, 6000, 8000]
    assert bench.steps() == Steps(status.delivered_steps, 0)


@pytest.mark.req("R18", "R19")
@pytest.mark.parametrize("step", [SHOT, None], ids=["armed", "unloaded"])
def test_a_hung_gun_at_rest_comes_back_as_one_that_can_do_nothing(
    bench: Bench, gun: Gun, health: Health, step: PlannedStep | None
) -> None:
    health.restarts = 1
    if step is not None:
        arm(gun, step)
    bench.stop_processor(_WATCHDOG_S + 0.5)
    assert not bench.driver_on()
    assert gun.reconnect(bench.connect())
    assert gun.info.reset_cause is ResetCause.WATCHDOG
    assert gun.status().state is ControllerState.UNLOADED
    listen(gun, 1)
    assert bench.steps() == Steps(0, 0)
