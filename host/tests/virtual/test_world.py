"""The world of the virtual gun: how often its firmware wakes, and what a cut does to its flash."""

from collections.abc import Callable

import pytest

from mesogun.gun import Gun
from mesogun.program.planned import PlannedStep
from mesogun.virtual.flash import FLASH_BYTES, NorFlash
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import StepKind, TriggerMode

_SHOTS = PlannedStep(
    StepKind.SHOTS, count=1000, dose_nl=1_000, inject_us=100_000, period_us=500_000
)


def _load(gun: Gun) -> None:
    gun.load_syringe(28_558, 4_000_000, 800, 1, 164)
    gun.set_limits(4_000_000, 1_000_000, 1000)


def _armed(gun: Gun, trigger: TriggerMode) -> None:
    _load(gun)
    step = PlannedStep(
        StepKind.SHOTS, trigger, dose_nl=10_000, inject_us=100_000, period_us=200_000
    )
    gun.arm(1, gun.upload([step]).program_crc)


def _waiting_for_a_press(gun: Gun) -> None:
    _armed(gun, TriggerMode.PRESS)
    gun.start(1)


def _unacknowledged_prime(gun: Gun) -> None:
    _load(gun)
    gun.acknowledge(gun.status().journal_next)
    gun.prime(10_000, 500_000)


def _held_after_a_sync(gun: Gun, transport: VirtualTransport) -> None:
    transport.panel.trigger = True
    gun.ping()
    _load(gun)
    gun.acknowledge(gun.status().journal_next)


@pytest.mark.parametrize(
    "prepare",
    [
        lambda gun, transport: None,
        lambda gun, transport: _armed(gun, TriggerMode.HOLD),
        lambda gun, transport: _waiting_for_a_press(gun),
        lambda gun, transport: _unacknowledged_prime(gun),
        _held_after_a_sync,
    ],
    ids=["idle", "armed", "waiting for a press", "prime", "held"],
)
def test_a_gun_that_has_nothing_to_do_sleeps(
    transport: VirtualTransport, prepare: Callable[[Gun, VirtualTransport], None]
) -> None:
    gun = Gun.open(transport)
    prepare(gun, transport)
    world = transport.world
    world.run_unheard(world.now_ns + 1_000_000_000)
    before = world.wakes
    world.run_unheard(world.now_ns + 20_000_000_000)
    assert world.wakes - before <= 2


def test_a_train_costs_a_few_wakes_a_shot(transport: VirtualTransport) -> None:
    gun = Gun.open(transport)
    _load(gun)
    gun.arm(1, gun.upload([_SHOTS]).program_crc)
    gun.start(1)
    gun.wait(0)
    world = transport.world
    before, shots = world.wakes, gun.status().shots_done
    world.run_unheard(world.now_ns + 1_900_000_000)
    # The pressure is looked at each 20 ms of the 100 ms in which a shot moves.
    assert world.wakes - before <= 9 * (gun.status().shots_done - shots + 1)


def test_a_torn_program_leaves_old_bits_behind_the_tear() -> None:
    flash = NorFlash(None, 1)
    flash.program(0, b"\x00" * 100)
    flash.tear(0.5)
    assert flash.read(0, 50) == b"\x00" * 50
    assert flash.read(51, 49) == b"\xff" * 49
    assert flash.read(100, 100) == b"\xff" * 100


def test_a_torn_erasure_leaves_each_bit_erased_or_as_it_was() -> None:
    flash = NorFlash(None, 1)
    flash.program(4096, bytes(range(256)))
    flash.erase(4096)
    flash.tear(0.3)
    torn = flash.read(4096, 256)
    assert all(new & old == old for old, new in zip(range(256), torn, strict=True))
    assert torn != b"\xff" * 256
    assert flash.read(0, 4096) + flash.read(8192, FLASH_BYTES - 8192) == b"\xff" * (
        FLASH_BYTES - 4096
    )


def test_power_cuts_at_a_time_restart_the_gun(transport: VirtualTransport) -> None:
    gun = Gun.open(transport)
    world = transport.world
    world.cut_power_at(world.now_ns + 5_000_000)
    world.run_unheard(world.now_ns + 100_000_000)
    assert gun.reconnect()
    assert gun.info.boot_id == 2
