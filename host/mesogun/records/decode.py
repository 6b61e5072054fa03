"""Reads journal records by the thousand: what `decode_record` says, in a fiftieth of the time.

The layouts are the protocol's own, compiled into one `struct` for each kind of record. Whatever is
not plain is handed to `decode_record`, which has the last word and the words for what is wrong.
"""

import struct
import zlib
from enum import IntEnum
from typing import Any, NamedTuple

from mesogun_protocol.enums import RecordKind
from mesogun_protocol.fields import Message
from mesogun_protocol.limits import RECORD_BYTES
from mesogun_protocol.records import BODIES, BODY_BYTES, HEAD, Record, decode_record
from mesogun_protocol.schema import fields_of, struct_format

_HEAD_FORMAT = struct_format(fields_of(HEAD))
_HEAD_STRUCT = struct.Struct(_HEAD_FORMAT)
_FRAME = struct.Struct(f"{_HEAD_FORMAT}{BODY_BYTES}sI")
_WHOLE = ("u8", "u16", "u32")
_KINDS = {int(kind): kind for kind in RecordKind}


class _Plan(NamedTuple):
    """How to read the body of one kind: its bytes, its names, and the ids among its numbers."""

    body: struct.Struct
    names: tuple[str, ...]
    ids: tuple[tuple[str, dict[int, IntEnum]], ...]


def decode(raw: bytes) -> Record:
    """Decode and check one record, as `decode_record` does.

    Raises:
        RecordCorrupt: if the length, the CRC, the kind or any field is wrong.
    """
    if len(raw) != RECORD_BYTES:
        return decode_record(raw)
    sequence, boot_id, kind, step, time_ms, content, crc = _FRAME.unpack(raw)
    plan = _PLANS.get(kind)
    if plan is None or zlib.crc32(raw[:-4]) != crc:
        return decode_record(raw)
    body: dict[str, Any] = dict(zip(plan.names, plan.body.unpack(content), strict=True))
    for name, members in plan.ids:
        member = members.get(body[name])
        if member is None:
            return decode_record(raw)
        body[name] = member
    return Record(sequence, boot_id, _KINDS[kind], step, time_ms, body, bytes(raw))


def head(raw: bytes) -> tuple[int, int, RecordKind]:
    """Return boot, sequence number and kind of 32 bytes whose CRC was checked.

    Raises:
        MessageError: if the kind is not known.
    """
    sequence, boot_id, number, _, _ = _HEAD_STRUCT.unpack_from(raw)
    kind = _KINDS.get(number)
    if kind is None:
        kind = HEAD.parse(raw[: _HEAD_STRUCT.size])["kind"]
    return boot_id, sequence, kind


def session_number(kind: RecordKind, raw: bytes) -> int | None:
    """Return the session's number in a SESSION_START that is sound, None for other records."""
    return decode(raw).body["session_id"] if kind is RecordKind.SESSION_START else None


def _plan(message: Message) -> _Plan | None:
    """Compile the layout of one kind, None if it holds more than whole numbers and ids."""
    rows = fields_of(message)
    named = [row for row in rows if row.name]
    for row in named:
        whole = (1 << 8 * row.size) - 1
        if row.enum is None and (
            row.type not in _WHOLE or (row.minimum, row.maximum) != (0, whole)
        ):
            return None
    return _Plan(
        struct.Struct(struct_format(rows)),
        tuple(row.name for row in named),
        tuple((row.name, {int(each): each for each in row.enum}) for row in named if row.enum),
    )


_PLANS = {int(kind): plan for kind, body in BODIES.items() if (plan := _plan(body))}
