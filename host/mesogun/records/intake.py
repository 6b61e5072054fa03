"""Takes raw records into the store: each key once, its first bytes for ever.

A record is checked for what proves that it arrived as the gun wrote it: length, CRC, a known kind.
A body that this version cannot read is still the gun's word and is stored, because a record that is
refused for ever blocks the gun's journal; reading the session reports it.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from mesogun.errors import RecordError
from mesogun.records import tables
from mesogun.words import _
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.limits import RECORD_BYTES
from mesogun_protocol.records import RecordCorrupt, decode_head, decode_record

_BOARD_ID = re.compile(r"[0-9a-f]{16}")


class RecordKey(NamedTuple):
    """What names a record on its board."""

    boot_id: int
    sequence: int


@dataclass(frozen=True)
class IngestResult:
    """What became of the records of one call.

    Attributes:
        stored: records that are new in the store.
        duplicates: records that were there already, byte for byte.
        conflicts: keys that were taken by other bytes; the second bytes are kept aside.
    """

    stored: int
    duplicates: int
    conflicts: tuple[RecordKey, ...]


def checked_board_id(board_id: str) -> str:
    """Return `board_id` if it is 16 lower-case hexadecimal digits, as HELLO's 8 bytes are written.

    Raises:
        RecordError: if it is anything else.
    """
    if not _BOARD_ID.fullmatch(board_id):
        raise RecordError(
            _(
                "{board} is no board id: 16 hexadecimal digits in lower case are expected "
                "(board_id of HELLO, 8 bytes)."
            ).format(board=repr(board_id))
        )
    return board_id


def ingest(
    db: Connection, board_id: str, raw_records: Sequence[bytes], received_at: str
) -> IngestResult:
    """Store what is new of `raw_records`, in the caller's transaction.

    Raises:
        RecordError: if any of them is corrupt; then none is stored.
    """
    checked_board_id(board_id)
    arrived = [(*_head(place, raw), raw) for place, raw in enumerate(raw_records)]
    known = _known(db, board_id, [key for key, _, _ in arrived])
    fresh: list[dict[str, Any]] = []
    conflicts: dict[tuple[RecordKey, bytes], dict[str, Any]] = {}
    duplicates = 0
    for key, kind, raw in arrived:
        row = {"board_id": board_id, **key._asdict(), "raw": raw, "received_at": received_at}
        if key not in known:
            known[key] = raw
            fresh.append({**row, "kind": int(kind), "session_id": _session_number(kind, raw)})
        elif known[key] == raw:
            duplicates += 1
        else:
            conflicts[key, raw] = row
    if fresh:
        db.execute(insert(tables.records), fresh)
    for row in conflicts.values():
        _keep_aside(db, row)
    return IngestResult(len(fresh), duplicates, tuple(key for key, _ in conflicts))


def _head(place: int, raw: bytes) -> tuple[RecordKey, RecordKind]:
    if len(raw) != RECORD_BYTES:
        raise RecordError(
            _(
                "Record {place} of this batch has {length} bytes, not {wanted}; none of the batch "
                "was stored. Read it from the gun again."
            ).format(place=place, length=len(raw), wanted=RECORD_BYTES)
        )
    if zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise RecordError(
            _(
                "Record {place} of this batch is corrupt, its CRC does not match; none of the "
                "batch was stored. Read it from the gun again."
            ).format(place=place)
        )
    try:
        boot_id, sequence, kind = decode_head(raw)
    except RecordCorrupt as error:
        raise RecordError(
            _(
                "Record {place} of this batch is of no kind that this version knows ({error}); "
                "none of the batch was stored. Use the version of mesogun that fits the firmware."
            ).format(place=place, error=error)
        ) from error
    if kind is RecordKind.SECTOR:
        raise RecordError(
            _(
                "Record {place} of this batch is the head of a flash sector, which a gun never "
                "sends; none of the batch was stored. Verify the gun's firmware."
            ).format(place=place)
        )
    return RecordKey(boot_id, sequence), kind


def _session_number(kind: RecordKind, raw: bytes) -> int | None:
    """Return the session's number in a SESSION_START, None for other records."""
    return decode_record(raw).body["session_id"] if kind is RecordKind.SESSION_START else None


def _keep_aside(db: Connection, row: dict[str, Any]) -> None:
    """Store a conflict, unless it is there already from an earlier time."""
    key = [column == row[column.name] for column in tables.conflicts.primary_key]
    if db.execute(select(tables.conflicts).where(*key)).first() is None:
        db.execute(insert(tables.conflicts), row)


def _known(db: Connection, board_id: str, keys: list[RecordKey]) -> dict[RecordKey, bytes]:
    """Return the stored bytes around `keys`, boot by boot, as the primary key is sorted."""
    known: dict[RecordKey, bytes] = {}
    for boot_id in {key.boot_id for key in keys}:
        sequences = [key.sequence for key in keys if key.boot_id == boot_id]
        rows = db.execute(
            select(tables.records.c.sequence, tables.records.c.raw).where(
                tables.records.c.board_id == board_id,
                tables.records.c.boot_id == boot_id,
                tables.records.c.sequence.between(min(sequences), max(sequences)),
            )
        )
        known.update((RecordKey(boot_id, sequence), raw) for sequence, raw in rows)
    return known
