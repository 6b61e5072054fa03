"""What else must stop a gun: syringe, supply, a stuck trigger, a host that fell silent."""

from dataclasses import replace

import pytest
from benches.bench import Bench
from health import Health, read_records
from sessions import FLOW, PAUSE, SHOT, arm, follow, listen, load, press, recover, shots, start

from mesogun.gun import Gun, Refused
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    ErrorCode,
    EventKind,
    Fault,
    RecordKind,
    TriggerMode,
)

FAULT, RUNNING = ControllerState.FAULT, ControllerState.RUNNING
HOLD, PRESS = TriggerMode.HOLD, TriggerMode.PRESS

# The syringe's switch wakes the gun; the supply it measures every 20 ms while it moves (R42).
_CAUSES = [
    ("remove_syringe", "seat_syringe", Fault.SYRINGE_REMOVED, 5),
    ("fail_supply", "restore_supply", Fault.SUPPLY, 25),
]


@pytest.mark.sampled
@pytest.mark.req("R15", "R28", "R42")
@pytest.mark.parametrize(("cause", "cure", "fault", "within_ms"), _CAUSES)
@pytest.mark.parametrize("step", [shots(3), FLOW], ids=["shots", "flow"])
@pytest.mark.parametrize("after_s", [0.03, 0.0803, 0.15, 0.2201])
def test_the_last_step_comes_in_time(
    bench: Bench,
    gun: Gun,
    health: Health,
    cause: str,
    cure: str,
    fault: Fault,
    within_ms: int,
    step: PlannedStep,
    after_s: float,
) -> None:
    health.faults = [fault]
    start(gun, step)
    bench.run_for(after_s)
    getattr(bench, cause)()
    began_ns = bench.now_ns()
    bench.run_for(1)
    assert not bench.edges_since(began_ns + within_ms * 1_000_000)
    assert not bench.driver_on()
    status = gun.status()
    assert (status.state, status.fault) == (FAULT, fault)
    with pytest.raises(Refused) as refused:
        gun.clear_fault(fault)
    assert refused.value.code is ErrorCode.FAULT_CONDITION
    getattr(bench, cure)()
    bench.run_for(1)
    assert not bench.edges_since(began_ns + within_ms * 1_000_000)
    recover(gun, fault)
    records = read_records(gun)
    told = next(r for r in records if r.kind is RecordKind.FAULT)
    assert told.body["forward_steps"] == bench.steps().forward
    ends = [r.body["reason"] for r in records if r.kind is RecordKind.SESSION_END]
    assert ends == [EndReason.FAULTED]


@pytest.mark.req("R28")
def test_a_syringe_that_was_taken_out_must_be_declared_again(
    bench: Bench, gun: Gun, health: Health
) -> None:
    health.faults = [Fault.SYRINGE_REMOVED]
    arm(gun, SHOT)
    bench.remove_syringe()
    bench.run_for(0.1)
    assert gun.status().state is FAULT
    bench.seat_syringe()
    recover(gun, Fault.SYRINGE_REMOVED)
    status = gun.status()
    assert (status.state, status.program_crc, status.remaining_nl) == (
        ControllerState.UNLOADED,
        0,
        0,
    )


@pytest.mark.req("R28")
def test_nothing_is_armed_without_a_syringe(bench: Bench, gun: Gun) -> None:
    bench.remove_syringe()
    with pytest.raises(Refused) as refused:
        arm(gun, SHOT)
    assert refused.value.code is ErrorCode.NOT_SEATED


@pytest.mark.req("R20", "R42")
def test_nothing_is_armed_on_a_bad_supply(bench: Bench, gun: Gun) -> None:
    bench.fail_supply()
    with pytest.raises(Refused) as refused:
        arm(gun, SHOT)
    assert refused.value.code is ErrorCode.SELF_TEST
    assert not bench.driver_on()


@pytest.mark.req("R21")
def test_a_trigger_held_for_60_s_in_press_mode_is_stuck(
    bench: Bench, gun: Gun, health: Health
) -> None:
    health.faults = [Fault.STUCK_TRIGGER]
    start(gun, shots(3, PRESS))
    bench.press()
    bench.run_for(59.9)
    status = gun.status()
    assert (status.state, status.shots_done) == (RUNNING, 1)
    bench.run_for(0.2)
    assert gun.status().fault is Fault.STUCK_TRIGGER
    with pytest.raises(Refused) as refused:
        gun.clear_fault(Fault.STUCK_TRIGGER)
    assert refused.value.code is ErrorCode.NOT_RELEASED
    bench.release()
    bench.run_for(0.1)
    recover(gun, Fault.STUCK_TRIGGER)


@pytest.mark.req("R20")
def test_nothing_is_armed_under_a_held_trigger(bench: Bench, gun: Gun) -> None:
    load(gun)
    bench.press()
    bench.run_for(0.1)
    with pytest.raises(Refused) as refused:
        arm(gun, SHOT)
    assert refused.value.code is ErrorCode.NOT_RELEASED
    with pytest.raises(Refused):
        gun.prime(10_000, 500_000)


@pytest.mark.req("R15", "R22")
@pytest.mark.parametrize(
    "step", [shots(50), replace(FLOW, inject_us=10_000_000)], ids=["shots", "flow"]
)
def test_a_host_that_falls_silent_ends_what_it_paces(
    bench: Bench, gun: Gun, health: Health, step: PlannedStep
) -> None:
    health.faults = [Fault.HEARTBEAT_LOST]
    start(gun, step)
    listen(gun, 0.5)
    silent_ns = bench.now_ns()
    bench.run_for(5)
    last_ns = bench.edges_since(0)[-1].at_ns
    assert silent_ns + 1_000_000_000 < last_ns <= silent_ns + 2_006_000_000
    assert not bench.driver_on()
    assert gun.status().fault is Fault.HEARTBEAT_LOST


@pytest.mark.req("R22")
@pytest.mark.parametrize("trigger", [HOLD, PRESS])
def test_the_trigger_keeps_its_authority_without_a_host(
    bench: Bench, gun: Gun, trigger: TriggerMode
) -> None:
    start(gun, shots(4, trigger))
    bench.run_for(100)
    for _ in range(4):
        bench.press()
        bench.run_for(0.15)
        bench.release()
        bench.run_for(5)
    assert gun.status().state is ControllerState.DONE
    assert gun.status().shots_done == 4


@pytest.mark.req("R22")
def test_a_paused_session_waits_for_a_host_that_comes_back(bench: Bench, gun: Gun) -> None:
    session_id = start(gun, PAUSE, shots(2))
    follow(gun, 1, ControllerState.PAUSED)
    bench.run_for(60)
    gun.resume(session_id)
    assert follow(gun, 2, ControllerState.DONE).shots_done == 2


@pytest.mark.req("R23")
def test_a_gun_left_armed_reminds_and_then_disarms(bench: Bench, gun: Gun) -> None:
    arm(gun, SHOT)
    began_ms = gun.status().clock_ms
    seen = {}
    while gun.status().state is ControllerState.ARMED:
        for event in gun.wait(30):
            seen[event.kind] = event.clock_ms - began_ms
        assert gun.status().clock_ms < began_ms + 700_000
    assert seen[EventKind.ARMED_IDLE] == pytest.approx(300_000, abs=100)
    assert seen[EventKind.STATE] == pytest.approx(600_000, abs=100)
    assert gun.status().state is ControllerState.READY
    assert not bench.driver_on()
    press(bench)
    listen(gun, 1)
    assert bench.steps().forward == 0
