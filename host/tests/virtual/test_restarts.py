"""Restarts of the virtual gun: the watchdog's, and power that goes where it hurts most."""

import pytest

from mesogun.gun import Gun, Refused
from mesogun.program.planned import PlannedStep
from mesogun.virtual.flash import NorFlash
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import ControllerState, Light, RecordKind, ResetCause, StepKind
from mesogun_protocol.records import decode_record

_SHOT = PlannedStep(StepKind.SHOTS, dose_nl=10_000, inject_us=100_000, period_us=200_000)


def _run(transport: VirtualTransport, seconds: float) -> None:
    world = transport.world
    world.run_unheard(world.now_ns + round(seconds * 1e9))


def _start(gun: Gun) -> None:
    gun.load_syringe(28_558, 4_000_000, 800, 1, 164)
    gun.set_limits(4_000_000, 1_000_000, 1000)
    gun.arm(1, gun.upload([_SHOT]).program_crc)
    gun.start(1)


@pytest.mark.req("R18", "R19")
def test_a_reset_by_the_watchdog_is_told_and_resumes_nothing(transport: VirtualTransport) -> None:
    gun = Gun.open(transport)
    _start(gun)
    world = transport.world
    world.reset_at(world.now_ns + 50_000_000)
    _run(transport, 1)
    assert not world.stream.driver_on
    assert gun.reconnect()
    assert gun.info.reset_cause is ResetCause.WATCHDOG
    assert gun.status().state is ControllerState.UNLOADED
    assert gun.status().total_forward_steps == 0


def test_a_light_without_power_is_dark(transport: VirtualTransport) -> None:
    gun = Gun.open(transport)
    gun.load_syringe(28_558, 4_000_000, 800, 1, 164)
    assert transport.panel.light is Light.LOADED
    transport.world.cut_power()
    assert transport.panel.light is Light.OFF


@pytest.mark.req("R17")
def test_a_firmware_that_hangs_gives_the_shot_that_runs_and_no_other(
    transport: VirtualTransport,
) -> None:
    gun = Gun.open(transport)
    _start(gun)
    world = transport.world
    _run(transport, 0.01)
    world.hang(world.now_ns + 2_000_000_000)
    wakes = world.wakes
    _run(transport, 1.9)
    assert world.wakes == wakes
    assert world.stream.forward_steps == 10_000_000 // 28_558
    _run(transport, 0.2)
    assert world.wakes > wakes


def test_a_reset_lets_a_flash_operation_come_to_its_end(
    transport: VirtualTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn: list[float] = []
    monkeypatch.setattr(NorFlash, "tear", lambda _self, done: torn.append(done))
    gun = Gun.open(transport)
    world = transport.world
    program = NorFlash.program
    resets = iter([0.5])

    def reset_within(self: NorFlash, offset: int, data: bytes) -> int:
        duration_ns = program(self, offset, data)
        share = next(resets, None)
        if share is not None:
            world.reset_at(world.now_ns + round(share * duration_ns))
        return duration_ns

    monkeypatch.setattr(NorFlash, "program", reset_within)
    with pytest.raises(Refused):
        gun.load_syringe(28_558, 4_000_000, 800, 1, 164)
    assert torn == []
    assert gun.reconnect()
    kinds = [decode_record(raw).kind for raw in gun.read_records(1)]
    assert kinds == [RecordKind.BOOT, RecordKind.SYRINGE, RecordKind.BOOT]


@pytest.mark.req("R40")
def test_power_that_goes_while_the_first_record_of_a_boot_is_written(
    transport: VirtualTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    gun = Gun.open(transport)
    world = transport.world
    program = NorFlash.program
    cuts = iter([0.3, 0.6])

    def cut_within(self: NorFlash, offset: int, data: bytes) -> int:
        duration_ns = program(self, offset, data)
        share = next(cuts, None)
        if share is not None:
            world.cut_power_at(world.now_ns + round(share * duration_ns))
        return duration_ns

    monkeypatch.setattr(NorFlash, "program", cut_within)
    world.cut_power()
    assert next(cuts, None) is None
    assert gun.reconnect()
    records = [decode_record(raw) for raw in gun.read_records(1)]
    assert [record.kind for record in records] == [RecordKind.BOOT, RecordKind.BOOT]
    assert len({record.boot_id for record in records}) == 2
