"""The gun's record: an append-only ring of 32-byte records in flash that outlives any power cut.

Slot 0 of a sector is its head and names the sequence number of slot 1; the number of every other
slot follows from it, so a slot that was lost is a gap that anybody can see. Sectors are used in the
order of the ring, which spreads the wear. Appending only programs; `maintain` erases, when idle.
"""

from array import array
from binascii import crc32
from struct import unpack_from

from micropython import const

from gun import wire
from gun.chain import NONE, Chain
from gun.seal import seal

_SECTORS = wire.JOURNAL_SECTORS
_SECTOR_BYTES = wire.FLASH_SECTOR_BYTES
_PAGE_BYTES = wire.FLASH_PAGE_BYTES
_BYTES = wire.RECORD_BYTES
_LAST_SLOT = _SECTOR_BYTES // _BYTES - 1  # also the records of a sector: slot 0 is its head
_HEAD_BYTES = wire.SIZE_RECORD_HEAD
_CRC_AT = _BYTES - 4

# In place of the first sequence number of a sector, which is never one of these.
_ERASED = const(0)
_DIRTY = const(0xFFFFFFFF)

_FULL = "journal full: read and acknowledge records, then leave the gun idle"
_BLANK_RECORD = b"\xff" * _BYTES
_BLANK_PAGE = b"\xff" * _PAGE_BYTES


class JournalError(Exception):
    pass


class Journal:
    """Records from `oldest` to `next`, not including it, in `capacity` slots.

    One slot more is kept for the ACKNOWLEDGED record with which a full journal begins to empty.

    Pack the body of a record into `body`, then `append` it. Records below `acknowledged` are stored
    by a host; `chain` is the running hash of all. `sound` is false after a write that failed, until
    one succeeds. While `needs_maintenance`, call `maintain` whenever the gun is idle.
    """

    capacity = _SECTORS * _LAST_SLOT - 1

    def __init__(self, flash):
        self._flash = flash
        self._record = bytearray(_BYTES)
        self.body = memoryview(self._record)[_HEAD_BYTES:_CRC_AT]
        self._head = bytearray(_BYTES)
        self._seen = bytearray(_BYTES)
        self._page = bytearray(_PAGE_BYTES)
        self._first = array("I", [_ERASED] * _SECTORS)
        self._erased = 0
        self._sector = -1
        self._slot = _LAST_SLOT + 1
        self._erases = 0
        self._own_acknowledgement = 0
        self._acknowledged_ms = 0
        self._unwritten = False
        self._anchor = 0  # number of the last ACKNOWLEDGED record, which has the hash before it
        self.chain = Chain()
        self.boot_id = 1
        self.next = 1
        self.acknowledged = 1
        self.sound = True
        self.needs_maintenance = True

    # Opening

    def open(self):
        """Find what the flash holds: reads each sector's head and one sector, writes nothing."""
        newest = 0
        for sector in range(_SECTORS):
            first = self._first[sector] = self._read_head(sector)
            if first == _ERASED:
                self._erased += 1
            elif first != _DIRTY and first > newest:
                newest = first
                self._sector = sector
        if newest:
            self._read_newest(newest)
        self._find_chain()

    def _read_head(self, sector):
        seen = self._seen
        self._flash.read(sector * _SECTOR_BYTES, seen)
        if seen == _BLANK_RECORD:
            return _ERASED
        first, _, kind, _, _ = unpack_from("<IHBBI", seen, 0)
        magic, acknowledged, erases, anchor = unpack_from("<IIII", seen, _HEAD_BYTES)
        if not _is_sound(seen) or kind != wire.RECORD_SECTOR or magic != wire.SECTOR_MAGIC:
            return self._rescue(sector)
        self.acknowledged = max(self.acknowledged, acknowledged)
        self._erases = max(self._erases, erases)
        self._anchor = max(self._anchor, anchor)
        return first

    def _rescue(self, sector):
        """Return the first sequence number of a sector without a head, if any record tells it."""
        seen = self._seen
        for slot in range(1, _LAST_SLOT + 1):
            self._flash.read(sector * _SECTOR_BYTES + slot * _BYTES, seen)
            if _is_sound(seen):
                return unpack_from("<I", seen, 0)[0] - slot + 1
        return _DIRTY

    def _read_newest(self, first):
        boot_id = last = 0
        view = memoryview(self._page)
        for at in range(0, _SECTOR_BYTES, _BYTES):
            at_page = at % _PAGE_BYTES
            if not at_page:
                self._flash.read(self._sector * _SECTOR_BYTES + at, self._page)
            record = view[at_page : at_page + _BYTES]
            if record == _BLANK_RECORD:
                continue
            last = at // _BYTES
            if _is_sound(record):
                _, boot_id, kind, _, _ = unpack_from("<IHBBI", record, 0)
                if kind == wire.RECORD_ACKNOWLEDGED:
                    sequence = unpack_from("<I", record, _HEAD_BYTES)[0]
                    self.acknowledged = max(self.acknowledged, sequence)
                    self._anchor = first + last - 1
        self._slot = last + 1
        self.next = first + last
        self.boot_id = boot_id % 0xFFFF + 1

    def _find_chain(self):
        """Go on from the last hash that was written; the rest is hashed again when idle."""
        record = self._page
        if self._anchor and self.read(self._anchor, 1, record, 0):
            sequence, _, kind, _, _ = unpack_from("<IHBBI", record, 0)
            if sequence == self._anchor and kind == wire.RECORD_ACKNOWLEDGED:
                digest = bytes(record[_HEAD_BYTES + 4 : _CRC_AT])
                self.chain.begin(sequence, digest)
                return
        self.chain.begin(self.oldest, NONE)

    # Writing

    @property
    def free_records(self):
        """Records that can be appended before a sector has to be erased."""
        return max(_LAST_SLOT - self._slot + self._erased * _LAST_SLOT, 0)

    @property
    def _is_full(self):
        """Is there no slot left, not even the one that is kept?"""
        return self._slot > _LAST_SLOT and not self._erased

    def append(self, kind, step, time_ms):
        """Write the record whose body was packed, prove it, and return its sequence number.

        Raises JournalError if it cannot be read back or there is no room. The number of a record
        that failed is not used again.
        """
        last = self._slot >= _LAST_SLOT and not self._erased
        if last and kind != wire.RECORD_ACKNOWLEDGED:
            raise JournalError(_FULL)
        if self._slot > _LAST_SLOT:
            self._begin_sector(time_ms)
        sequence = self.next
        wire.pack_record_head(self._record, 0, sequence, self.boot_id, kind, step, time_ms)
        offset = self._sector * _SECTOR_BYTES + self._slot * _BYTES
        self.next = sequence + 1
        self._slot += 1
        self.needs_maintenance = True
        self._write(offset, self._record)
        return sequence

    def _begin_sector(self, time_ms):
        for ahead in range(1, _SECTORS + 1):
            sector = (self._sector + ahead) % _SECTORS
            if self._first[sector] != _ERASED:
                continue
            # Dirty until its head is proven.
            self._first[sector] = _DIRTY
            self._erased -= 1
            if self._is_blank(sector):
                # Each lap of the ring erases each sector once.
                erases = self._erases + (sector <= self._sector)
                head = self._head
                wire.pack_record_head(
                    head, 0, self.next, self.boot_id, wire.RECORD_SECTOR, wire.STEP_NONE, time_ms
                )
                wire.pack_record_sector(
                    head,
                    _HEAD_BYTES,
                    wire.SECTOR_MAGIC,
                    self.acknowledged,
                    erases,
                    self._anchor,
                )
                self._write(sector * _SECTOR_BYTES, head)
                self._first[sector] = self.next
                self._sector = sector
                self._slot = 1
                self._erases = erases
                return
        raise JournalError(_FULL)

    def _is_blank(self, sector):
        # An erasing that lost its power may have cleared the head alone.
        for page in range(_SECTOR_BYTES // _PAGE_BYTES):
            self._flash.read(sector * _SECTOR_BYTES + page * _PAGE_BYTES, self._page)
            if self._page != _BLANK_PAGE:
                return False
        return True

    def _write(self, offset, record):
        seal(record, _CRC_AT)
        self.sound = False
        self._flash.program(offset, record)
        self._flash.read(offset, self._seen)
        if self._seen != record:
            raise JournalError(f"journal record at flash offset {offset} reads back wrong")
        self.sound = True

    # Reading

    @property
    def oldest(self):
        """Sequence number of the oldest record that is held, or `next` if there is none."""
        sector = self._sector_from(0)
        return self.next if sector < 0 else self._first[sector]

    def read(self, sequence, count, buf, offset):
        """Copy at most `count` records from `sequence` on to `buf[offset:]`; return their bytes.

        Damaged records are left out: the numbers of those around them show the gap.
        """
        end = offset
        seen = self._seen
        while count and sequence < self.next:
            sector = self._sector_from(sequence)
            if sector < 0:
                break
            first = self._first[sector]
            sequence = max(sequence, first)
            after = self.next if sector == self._sector else first + _LAST_SLOT
            while count and sequence < after:
                at = sector * _SECTOR_BYTES + (sequence - first + 1) * _BYTES
                self._flash.read(at, seen)
                if _is_sound(seen):
                    buf[end : end + _BYTES] = seen
                    end += _BYTES
                    count -= 1
                sequence += 1
        return end - offset

    def _sector_from(self, sequence):
        """Return the sector that holds `sequence` or else the next higher one, -1 if none does."""
        if self._first[self._sector] <= sequence:
            # Where a host reads that keeps up; to look at all sectors takes 13 ms.
            return self._sector
        best = 0
        found = -1
        for sector in range(_SECTORS):
            first = self._first[sector]
            if first in (_ERASED, _DIRTY) or first + _LAST_SLOT <= sequence:
                continue
            if found < 0 or first < best:
                best = first
                found = sector
        return found

    # Making room

    def acknowledge(self, sequence, time_ms):
        """Note that a host has stored the records below `sequence`; never moves backward.

        Kept in RAM until `maintain` writes it: losing it to a power cut only makes the host read
        again. Raises ValueError beyond `next`.
        """
        if sequence > self.next:
            raise ValueError(f"record {sequence} does not exist yet; next is {self.next}")
        if sequence <= self.acknowledged:
            return
        # A host that acknowledges our own acknowledgement must not make another one.
        own = self._own_acknowledgement
        if self.acknowledged != own or sequence != own + 1:
            self._unwritten = True
        self.acknowledged = sequence
        self._acknowledged_ms = time_ms
        self.needs_maintenance = True

    def maintain(self):
        """Hash a few records, write an acknowledgement, or erase a sector that is not needed.

        Takes up to 400 ms in which the processor is deaf: only for a gun that is not armed. Returns
        False if nothing is left to do. In this order: what is erased is under a hash that is kept.
        """
        if self.chain.next < self.next:
            self.chain.extend(self)
            return True
        if self._unwritten and not self._is_full:
            self._unwritten = False
            wire.pack_record_acknowledged(self.body, 0, self.acknowledged, self.chain.digest)
            self._own_acknowledgement = self._anchor = self.append(
                wire.RECORD_ACKNOWLEDGED, wire.STEP_NONE, self._acknowledged_ms
            )
            return True
        if self.needs_maintenance:
            for ahead in range(1, _SECTORS):
                sector = (self._sector + ahead) % _SECTORS
                if self._is_reusable(self._first[sector]):
                    self._first[sector] = _DIRTY
                    self._flash.erase(sector * _SECTOR_BYTES)
                    self._first[sector] = _ERASED
                    self._erased += 1
                    return True
            self.needs_maintenance = False
        return False

    def _is_reusable(self, first):
        if first in (_ERASED, _DIRTY):
            return first == _DIRTY
        end = first + _LAST_SLOT
        if end > self.acknowledged:
            return False
        # The next start of the gun goes on from the hash in the last ACKNOWLEDGED record. A journal
        # that is full although a slot was kept, because that one is worn, has no choice.
        return end <= self._anchor or not self._anchor or self._is_full


def _is_sound(record):
    return crc32(memoryview(record)[:_CRC_AT]) == unpack_from("<I", record, _CRC_AT)[0]
