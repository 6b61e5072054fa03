from datetime import timedelta

import pytest

from mesogun.errors import LinkError, PortError, UsageError, VersionMismatch
from mesogun.gun import Gun, Limits, Refused
from mesogun.gun.device import HEARTBEAT_S
from mesogun_protocol.enums import (
    ConfigKey,
    ControllerState,
    ErrorCode,
    EventKind,
    Fault,
    Inputs,
    RecordKind,
    ResetCause,
    StepKind,
)
from mesogun_protocol.records import DIGEST_NONE, decode_record
from tests.fake_cable import FakeCable, silence
from tests.fake_gun import FakeGun
from tests.fake_session import PAUSE, PL_PER_STEP, Step, armed, loaded


def names(device: FakeGun) -> list[str]:
    return [name for name, _ in device.executed]


def test_opening_tells_who_the_gun_is_and_moves_nothing():
    device = FakeGun()
    gun = Gun.open(FakeCable(device))
    assert (gun.info.firmware, gun.info.build) == ("1.2.3", "00c0ffee")
    assert gun.info.board_id == b"FAKEGUN1".hex()
    assert gun.info.reset_cause is ResetCause.POWER_ON
    assert set(names(device)) == {"hello", "ping"}


@pytest.mark.req("R36")
def test_another_schema_is_refused_and_the_port_given_back():
    device = FakeGun(schema_hash=1)
    cable = FakeCable(device)
    with pytest.raises(VersionMismatch):
        Gun.open(cable)
    assert cable.closed
    assert names(device) == ["hello"]


def test_a_whole_session_from_syringe_to_records():
    gun, _, _ = loaded()
    assert gun.get_limits() == Limits(10_000_000, 1_000_000, 10_800)
    receipt = gun.upload([Step(), PAUSE, Step(count=4)])
    assert (receipt.shots, receipt.volume_nl, receipt.duration_ms) == (24, 240_000, 6000)
    gun.arm(7, receipt.program_crc)
    gun.start(7)
    seen = []
    while (status := gun.status()).state is not ControllerState.PAUSED:
        seen += gun.wait(1)
    assert status.step_kind is StepKind.PAUSE
    assert status.shots_done == 20
    gun.resume(7)
    while (status := gun.status()).state is not ControllerState.DONE:
        seen += gun.wait(1)
    assert status.delivered_steps == 24 * 250
    assert status.delivered_nl == 240_000
    assert status.inputs == Inputs.INTERLOCK_CLOSED | Inputs.SYRINGE_SEATED | Inputs.SUPPLY_OK
    assert [e.a for e in seen + gun.wait(0.1) if e.kind is EventKind.SHOT] == list(range(24))
    assert gun.info.boot_id == 1


def test_delivered_volume_is_rounded_to_the_nearest_nanolitre():
    gun, _, device = loaded()
    device.pl_per_step, device.delivered_steps, device.primed_steps = 41_283, 3, 1
    status = gun.status()
    assert (status.delivered_nl, status.primed_nl) == (124, 41)


def test_a_prime_needs_its_press_and_counts_apart():
    gun, cable, device = loaded()
    gun.prime(100_000, 1_000_000)
    assert gun.status().primed_nl == 0
    device.press(cable.gun_ms())
    status = gun.status()
    assert (status.primed_nl, status.delivered_nl) == (100_000, 0)
    assert gun.trigger_state().presses == 1


def test_the_syringe_can_be_taken_back():
    gun, _, _ = loaded()
    gun.unload_syringe()
    status = gun.status()
    assert (status.state, status.step_kind) == (ControllerState.UNLOADED, None)


def test_numbers_of_the_gun_are_read_and_written():
    gun, _, _ = loaded()
    gun.write_config(ConfigKey.DEBOUNCE_MS, 30)
    number = gun.read_config(ConfigKey.DEBOUNCE_MS)
    assert (number.key, number.value, number.maximum) == (ConfigKey.DEBOUNCE_MS, 30, 1000)
    with pytest.raises(Refused, match="value = 1001 is outside 0 to 1000"):
        gun.write_config(ConfigKey.DEBOUNCE_MS, 1001)


def test_pause_disarm_and_fault():
    gun, cable, device = armed()
    gun.disarm()
    assert gun.status().state is ControllerState.READY
    gun.arm(8, gun.status().program_crc)
    gun.start(8)
    gun.pause()
    assert gun.status().state is ControllerState.PAUSED
    device.fail(Fault.OCCLUSION, cable.gun_ms())
    assert gun.status().fault is Fault.OCCLUSION
    with pytest.raises(Refused) as caught:
        gun.clear_fault(Fault.STALL)
    assert caught.value.code is ErrorCode.OUT_OF_RANGE
    gun.clear_fault(Fault.OCCLUSION)
    assert gun.status().state is ControllerState.READY


@pytest.mark.req("R22")
def test_waiting_keeps_the_heartbeat_going():
    gun, cable, device = armed(Step(count=200))
    gun.start(7)
    device.executed.clear()
    before_us = cable.now_us
    seen = []
    while cable.now_us - before_us < 30e6:
        seen += gun.wait(30)
    assert gun.status().state is ControllerState.RUNNING
    assert 59 <= names(device).count("ping") <= 61
    assert len(seen) >= 119


@pytest.mark.req("R22")
def test_a_host_that_falls_silent_loses_its_session():
    gun, cable, _ = armed(Step(count=200))
    gun.start(7)
    cable.read(0)
    cable.now_us += 10_000_000
    assert gun.status().fault is Fault.HEARTBEAT_LOST


def test_waiting_returns_in_time_without_events():
    gun, cable, _ = loaded()
    gun.wait(0)
    before_us = cable.now_us
    assert gun.wait(1.3) == []
    assert cable.now_us - before_us == pytest.approx(1.3e6, abs=3)
    assert gun.wait(0) == []
    assert HEARTBEAT_S < 2


def test_device_times_are_put_on_the_wall_clock():
    gun, cable, device = loaded()
    cable.drift = 40e-6
    for _ in range(100):
        gun.wait(0.5)
    event_ms = device.clock_ms(cable.gun_ms())
    assert abs(gun.utc(event_ms) - cable.wall_clock()) < timedelta(milliseconds=3)


def test_ping_returns_the_round_trip():
    gun, _, _ = loaded()
    assert gun.ping() == pytest.approx(0.002)


@pytest.mark.req("R41")
def test_records_are_read_in_pages_and_freed_when_acknowledged():
    gun, _, device = loaded()
    for _ in range(50):
        device.record(RecordKind.ACKNOWLEDGED, 0, sequence=0, digest=DIGEST_NONE)
    records = [decode_record(raw) for raw in gun.read_records(0)]
    assert [record.sequence for record in records] == list(range(len(device.records)))
    assert len(list(gun.read_records(20))) == len(records) - 20
    gun.acknowledge(30)
    assert decode_record(next(gun.read_records(0))).sequence == 30
    assert list(gun.read_records(len(records))) == []
    assert gun.status().journal_acknowledged == 30


@pytest.mark.req("R41")
def test_records_out_of_order_are_refused():
    gun, _, device = loaded()
    device.records[1], device.records[2] = device.records[2], device.records[1]
    with pytest.raises(LinkError, match=r"record 1 where one from 3 to \d+ was due"):
        list(gun.read_records(0))


def test_leaving_by_an_exception_stops_the_gun():
    gun, cable, device = armed()
    gun.start(7)
    with pytest.raises(KeyboardInterrupt), gun:
        raise KeyboardInterrupt
    assert device.state is ControllerState.DONE
    assert cable.closed


def test_leaving_by_an_exception_does_not_stop_what_was_not_started_here():
    gun, cable, device = loaded()
    device.executed.clear()
    with pytest.raises(KeyError), gun:
        raise KeyError
    assert "stop" not in names(device)
    assert cable.closed


def test_leaving_as_planned_leaves_the_trigger_its_authority():
    gun, cable, device = armed()
    with gun:
        gun.start(7)
    assert device.state is ControllerState.RUNNING
    assert cable.closed


def test_a_stop_that_fails_on_leaving_is_seen():
    gun, cable, _ = armed()
    cable.to_gun = silence
    with pytest.raises(LinkError, match="did not answer stop"), gun:
        raise KeyboardInterrupt
    assert cable.closed


def test_a_lost_link_stays_what_it_is_when_the_stop_fails_too():
    gun, cable, _ = armed()
    cable.to_gun = silence
    with pytest.raises(LinkError, match="did not answer ping") as caught, gun:
        gun.ping()
    assert "did not answer stop" in caught.value.__notes__[0]


def test_reconnecting_tells_a_restart():
    gun, cable, device = loaded()
    assert not gun.reconnect()
    device.restart(ResetCause.WATCHDOG, cable.gun_ms())
    with pytest.raises(Refused, match="it has restarted since this connection was opened"):
        gun.status()
    assert gun.reconnect()
    assert (gun.info.boot_id, gun.info.reset_cause) == (2, ResetCause.WATCHDOG)
    assert gun.status().state is ControllerState.UNLOADED


def test_reconnecting_over_a_new_cable_goes_on_with_the_same_gun():
    gun, cable, device = loaded()
    cable.unplugged = True
    assert not gun.reconnect(FakeCable(device, start_us=cable.now_us))
    assert gun.status().pl_per_step == PL_PER_STEP
    with pytest.raises(PortError, match=r"Board 42.* not board 46"):
        gun.reconnect(FakeCable(FakeGun(board_id=b"B" * 8)))


def test_a_stop_reaches_a_gun_that_has_restarted():
    gun, cable, device = armed()
    device.restart(ResetCause.WATCHDOG, cable.gun_ms())
    gun.stop()
    assert names(device)[-1] == "stop"


@pytest.mark.req("R36")
def test_arming_needs_the_program_that_was_read_back_here():
    gun, _, device = loaded()
    receipt = gun.upload([Step()])
    with pytest.raises(UsageError, match="was not read back"):
        gun.arm(7, receipt.program_crc ^ 1)
    gun.reconnect()
    with pytest.raises(UsageError, match="was not read back"):
        gun.arm(7, receipt.program_crc)
    assert "arm" not in names(device)
