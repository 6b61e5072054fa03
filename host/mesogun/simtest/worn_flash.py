"""A gun's flash that wears, and that remembers every record it has ever held.

What it remembers is the truth to which journal and store are compared.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from mesogun.records import RecordKey
from mesogun.simtest.draw import Wear
from mesogun.simtest.rules import Broken, Rule
from mesogun.virtual.flash import NorFlash
from mesogun_protocol.enums import ControllerState, RecordKind
from mesogun_protocol.limits import FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, RECORD_BYTES
from mesogun_protocol.records import (
    SECTOR_MAGIC,
    STEP_NONE,
    Record,
    RecordCorrupt,
    decode_record,
    encode_record,
)

_SLOTS: Final = FLASH_SECTOR_BYTES // RECORD_BYTES - 1
_FIRST: Final = 1000
_UNSTORED: Final = 3
"""Of the records that are there at the beginning, so many are still to be fetched."""
_KEPT_BIT: Final = 0x80


class WornFlash(NorFlash):
    """Flash with weak places.

    Attributes:
        operations: programs and erasings so far.
        watch: called with the number of each operation and the time that it takes, ns.
        noted: called with each record that is whole in the journal.
        stored_below: a host has stored the records below this number before the world began.
    """

    def __init__(self, seed: int, wear: Wear, journal_sectors: int, used_slots: int) -> None:
        """Make a flash whose journal holds `used_slots` records already."""
        super().__init__(None, seed)
        self.operations = 0
        self.watch: Callable[[int, int], None] = lambda _number, _duration_ns: None
        self.noted: Callable[[Record], None] = lambda _record: None
        self.stored_below = _FIRST + used_slots - _UNSTORED if used_slots else 0
        self._wear = wear
        self._journal_bytes = journal_sectors * FLASH_SECTOR_BYTES
        self._written: dict[RecordKey, bytes] = {}
        self._latest: tuple[int, bytes] | None = None
        if used_slots:
            self._put(0, _used_sector(_FIRST, used_slots, self.stored_below))
            # The sector before it is stored by a host: the journal may erase it when idle.
            self._put(
                (journal_sectors - 1) * FLASH_SECTOR_BYTES, _used_sector(_FIRST - _SLOTS, 0, _FIRST)
            )
            for slot in range(1, used_slots + 1):
                self._note(self.read(slot * RECORD_BYTES, RECORD_BYTES))

    def written(self) -> dict[RecordKey, bytes]:
        """Return every record that has been whole in the journal at any time."""
        self._settle()
        return self._written

    def program(self, offset: int, data: bytes) -> int:
        """Program, and keep a bit in a worn page."""
        self._settle()
        duration_ns = super().program(offset, data)
        if offset // FLASH_PAGE_BYTES in self._wear.pages:
            last = offset + len(data) - 1
            self._put(last, bytes([self._bytes[last] | _KEPT_BIT]))
        self._latest = offset, data
        self._count(duration_ns)
        return duration_ns

    def erase(self, offset: int) -> int:
        """Erase, and keep a cleared bit in a worn sector."""
        self._settle()
        duration_ns = super().erase(offset)
        if offset // FLASH_SECTOR_BYTES in self._wear.sectors:
            self._put(offset + _SLOTS * RECORD_BYTES, bytes([0xFF ^ _KEPT_BIT]))
        self._count(duration_ns)
        return duration_ns

    def _count(self, duration_ns: int) -> None:
        self.operations += 1
        self.watch(self.operations, duration_ns)

    def _settle(self) -> None:
        """Note what the last operation wrote if it is there, untorn and as it was meant."""
        if self._latest is None:
            return
        (offset, data), self._latest = self._latest, None
        in_journal = len(data) == RECORD_BYTES and offset < self._journal_bytes
        if in_journal and self.read(offset, len(data)) == data:
            self._note(data)

    def _note(self, raw: bytes) -> None:
        record = _decoded(raw)
        if record is None or record.kind is RecordKind.SECTOR:
            return
        self.noted(record)
        key = RecordKey(record.boot_id, record.sequence)
        if self._written.setdefault(key, raw) != raw:
            raise Broken(
                Rule.EXACTLY_ONCE,
                f"the gun has written two records number {key.sequence} in boot {key.boot_id}",
            )


def _decoded(raw: bytes) -> Record | None:
    try:
        return decode_record(raw)
    except RecordCorrupt:
        return None


@cache
def _used_sector(first: int, used: int, acknowledged: int) -> bytes:
    """Return a sector with `used` records, the first of them number `first`."""
    body = {"magic": SECTOR_MAGIC, "acknowledged": acknowledged, "erases": 1, "anchor": 0}
    records = [encode_record(first, 1, RecordKind.SECTOR, STEP_NONE, 0, **body)]
    states = {"state": ControllerState.LOADED, "previous": ControllerState.UNLOADED}
    records += [
        encode_record(first + place, 1, RecordKind.STATE, STEP_NONE, place, **states)
        for place in range(used)
    ]
    return b"".join(records)
