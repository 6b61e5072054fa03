"""A flash that takes no more: the gun stops, says so, and is well when the flash is."""

import pytest

from mesogun.gun import Gun, Refused
from mesogun.program.planned import PlannedStep
from mesogun.virtual.flash import NorFlash
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, Light, StepKind

_SHOTS = PlannedStep(StepKind.SHOTS, count=9, dose_nl=10_000, inject_us=100_000, period_us=200_000)


def _break(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NorFlash, "program", lambda self, offset, data: 400_000)


def _load(gun: Gun) -> None:
    gun.load_syringe(28_558, 4_000_000, 800, 1, 164)
    gun.set_limits(4_000_000, 1_000_000, 1000)


@pytest.mark.req("R15", "R16", "R40")
def test_a_journal_that_fails_in_a_session_ends_it(
    transport: VirtualTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    gun = Gun.open(transport)
    world = transport.world
    _load(gun)
    receipt = gun.upload([_SHOTS])
    gun.arm(1, receipt.program_crc)
    gun.start(1)
    world.run_unheard(world.now_ns + 250_000_000)
    with monkeypatch.context() as patch:
        _break(patch)
        world.run_unheard(world.now_ns + 300_000_000)
        made = world.stream.forward_steps
        assert not world.stream.driver_on
        assert transport.panel.light is Light.ALARM
        status = gun.status()
        assert (status.state, status.fault) == (ControllerState.FAULT, Fault.JOURNAL_WRITE)
        # It is not well yet: clearing needs a record of its own.
        with pytest.raises(Refused) as refused:
            gun.clear_fault(Fault.JOURNAL_WRITE)
        assert refused.value.code is ErrorCode.FAULT_LATCHED
        assert gun.status().state is ControllerState.FAULT
        gun.stop()
    assert world.stream.forward_steps == made
    gun.clear_fault(Fault.JOURNAL_WRITE)
    gun.arm(2, receipt.program_crc)
    gun.start(2)
    while gun.status().state is ControllerState.RUNNING:
        gun.wait(0.5)
    assert gun.status().shots_done == 9
    assert world.stream.forward_steps - made == gun.status().delivered_steps


@pytest.mark.req("R40")
def test_a_request_that_cannot_be_recorded_is_refused_at_once(
    transport: VirtualTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    gun = Gun.open(transport)
    with monkeypatch.context() as patch:
        _break(patch)
        began_ns = transport.world.now_ns
        with pytest.raises(Refused) as refused:
            _load(gun)
        assert transport.world.now_ns - began_ns < 50_000_000
        assert (refused.value.code, refused.value.value) == (
            ErrorCode.FAULT_LATCHED,
            Fault.JOURNAL_WRITE,
        )
    gun.clear_fault(Fault.JOURNAL_WRITE)
    _load(gun)
    assert gun.status().state is ControllerState.LOADED


@pytest.mark.req("R16")
def test_a_stop_is_confirmed_by_a_gun_that_cannot_record_it(
    transport: VirtualTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    gun = Gun.open(transport)
    world = transport.world
    _load(gun)
    gun.arm(1, gun.upload([_SHOTS]).program_crc)
    gun.start(1)
    world.run_unheard(world.now_ns + 50_000_000)
    _break(monkeypatch)
    gun.stop()
    made = world.stream.forward_steps
    world.run_unheard(world.now_ns + 1_000_000_000)
    assert 0 < world.stream.forward_steps == made < 350
    assert not world.stream.driver_on
    assert gun.status().fault is Fault.JOURNAL_WRITE
