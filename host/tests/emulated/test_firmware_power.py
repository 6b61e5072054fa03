"""Power that goes in the middle of a flash operation of the chip: the journal is whole afterwards.

One session on the emulated chip tells every operation on its flash with what was there before. A
cut at one of them leaves that, and a part of what was being written. The same firmware then boots
on it: on the virtual gun after each cut, and on the chip itself, which takes a hundred times as
long, after some: MESOGUN_CHIP_BOOTS tells after how many.
"""

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.copies import in_copy
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.records import Store
from mesogun.sync import sync_gun, verify_gun
from mesogun.virtual.flash import FLASH_BYTES, NorFlash
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import ControllerState, RecordKind
from mesogun_protocol.limits import FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, RECORD_BYTES
from mesogun_protocol.records import RecordCorrupt, decode_record
from tests.emulated.firmware_gun import SHOT, FirmwareGun

_CUTS = 50
_CHIP_BOOTS = int(os.environ.get("MESOGUN_CHIP_BOOTS", "1"))
_TRAIN = replace(SHOT, count=22)
_BOOT_MS = 2_000


@dataclass(frozen=True)
class Operation:
    """The chip programs a page.

    Attributes:
        at: where it begins in what journal and configuration have of the flash.
        page: what the page holds afterwards.
        before: what all of the flash held.
        steps: steps made so far.
    """

    at: int
    page: bytes
    before: bytes
    steps: int


def _session(gun: FirmwareGun) -> list[Operation]:
    """Run a session, and tell what it did to the flash."""
    operations: list[Operation] = []
    kept = gun.pico.storage
    begin = len(kept) - FLASH_BYTES

    def changed(offset: int, data: bytes) -> None:
        nonlocal kept
        operations.append(
            Operation(offset - begin, data, kept[begin:], len(gun.world.steps) - made)
        )
        kept = kept[:offset] + data + kept[offset + len(data) :]

    made = len(gun.world.steps)
    gun.pico.on_storage_change(changed)
    gun.start(_TRAIN)
    while gun.gun.status().state is ControllerState.RUNNING:
        gun.gun.wait(0.5)
    return [operation for operation in operations if len(operation.page) == FLASH_PAGE_BYTES]


def _cut(operation: Operation, share: float, path: Path, dice: random.Random) -> bytes:
    """Write to `path` what a power cut leaves of `operation`, and return it.

    Args:
        operation: which.
        share: of the new record that was programmed by then; above 1 all of it was.
        path: of the flash.
        dice: for the byte that the cut met.
    """
    path.write_bytes(operation.before)
    flash = NorFlash(path, dice.randrange(1 << 32))
    old = operation.before[operation.at : operation.at + FLASH_PAGE_BYTES]
    first = next(at for at in range(FLASH_PAGE_BYTES) if old[at] != operation.page[at])
    flash.program(operation.at, operation.page)
    flash.tear(min((first + share * RECORD_BYTES) / FLASH_PAGE_BYTES, 1.0))
    flash.close()
    return path.read_bytes()


def _written(flash: bytes) -> list[bytes]:
    """Return the sound records of the journal's first sector, which a session does not fill."""
    found = list[bytes]()
    for at in range(RECORD_BYTES, FLASH_SECTOR_BYTES, RECORD_BYTES):
        raw = flash[at : at + RECORD_BYTES]
        try:
            decode_record(raw)
        except RecordCorrupt:
            continue
        found.append(raw)
    return found


def _assert_bounded(raw_records: Iterable[bytes], steps: int) -> None:
    """What was made lies between the results and what the shot without one allows beside them."""
    least = most = 0
    for record in map(decode_record, raw_records):
        if record.kind is RecordKind.SHOT_INTENT:
            most = least + record.body["dose_steps"]
        elif record.kind is RecordKind.SHOT_RESULT:
            least += record.body["forward_steps"]
            most = least
    assert least <= steps <= most


def _booted_on_chip(gun: FirmwareGun, flash: bytes) -> list[bytes]:
    """Return the records of the chip that finds `flash` when its power comes back."""
    gun.pico.load_storage(gun.pico.storage[:-FLASH_BYTES] + flash)
    gun.world.cut_power()
    made = len(gun.world.steps)
    gun.run(_BOOT_MS)
    gun.greet()
    assert gun.gun.status().state is ControllerState.UNLOADED
    assert not gun.world.driver_on
    assert len(gun.world.steps) == made
    return list(gun.gun.read_records(1))


@pytest.mark.req("R40", "R41", "R42")
def test_after_50_cuts_the_journal_is_whole(
    firmware_gun: FirmwareGun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    operations = in_copy(lambda: _session(firmware_gun))
    dice = random.Random("cuts of the chip")
    simulation = Simulation(get_syringe("bd-plastipak-5"), get_needle("30g-4"), speed=None)
    torn = 0
    for number, operation in enumerate(dice.sample(operations, _CUTS)):
        board_id = number.to_bytes(8, "big")
        # Spread over the record and a little beyond, so that some are torn and some are not.
        share = 1.1 * (number + dice.random()) / _CUTS
        flash = _cut(operation, share, tmp_path / f"{board_id.hex()}.flash", dice)
        written = _written(operation.before)
        whole = _written(flash)
        assert whole[: len(written)] == written
        assert len(whole) - len(written) <= 1
        torn += len(whole) == len(written)
        _assert_bounded(whole, operation.steps)
        transport = VirtualTransport(simulation.settings(), board_id)
        with Gun.open(transport) as gun, Store.open(f"sqlite:///{tmp_path}/{number}.db") as store:
            assert gun.status().state is ControllerState.UNLOADED
            held = list(gun.read_records(1))
            assert held[:-1] == whole
            boot = decode_record(held[-1])
            assert (boot.kind, boot.boot_id) == (RecordKind.BOOT, gun.info.boot_id)
            assert sync_gun(gun, store).stored == len(held)
            assert verify_gun(gun, store).breaks == ()
        transport.forget()
        if number < _CHIP_BOOTS:
            again = in_copy(lambda flash=flash: _booted_on_chip(firmware_gun, flash))
            assert again[:-1] == whole
            assert decode_record(again[-1]).sequence == boot.sequence
    assert 0 < torn < _CUTS
