"""The journal's records: 32 bytes each, one layout for flash, wire and store.

A record is a head of 12 bytes, a body of 16 whose meaning its kind tells, and a CRC-32 of both. The
gun writes an intent before the first step of a shot and a result after it; an intent without a
result is an uncertain shot whose upper bound is the planned steps.
"""

import hashlib
import struct
import zlib
from enum import IntEnum
from typing import Any, NamedTuple

from construct import Padding, Struct

from mesogun_protocol.enums import (
    ConfigKey,
    ControllerState,
    EndReason,
    Fault,
    RecordKind,
    ResetCause,
    StepKind,
)
from mesogun_protocol.fields import U8, U16, U32, Id, Message, MessageError, blob, layout
from mesogun_protocol.limits import JOURNAL_DIGEST_BYTES, RECORD_BYTES
from mesogun_protocol.rows import fields_of, struct_format

STEP_NONE = 0xFF
"""`step` of a record that belongs to no step of a program."""

BODY_BYTES = 16

HEAD = Message(
    "record_head",
    0x00,
    layout(
        "sequence" / U32 * "number of the record, never used twice by a board",
        "boot_id" / U16 * "number of the device's start",
        "kind" / Id(RecordKind) * "what the body means",
        "step" / U8 * "step of the program, or STEP_NONE",
        "time_ms" / U32 * "device clock when the record was made, ms since boot",
    ),
    "First 12 bytes of every record.",
)


def _body(kind: RecordKind, doc: str, *fields: Any) -> Message:
    used = Struct(*fields).sizeof()
    pad = (Padding(BODY_BYTES - used),) if used < BODY_BYTES else ()
    return Message(f"record_{kind.name.lower()}", kind, layout(*fields, *pad), doc)


BODIES: dict[RecordKind, Message] = {
    RecordKind(body.id): body
    for body in (
        _body(
            RecordKind.SECTOR,
            "Head of a flash sector: its sequence number is that of the sector's first record.",
            "magic" / U32 * "SECTOR_MAGIC",
            "acknowledged" / U32 * "records below this number were stored by a host",
            "erases" / U32 * "how often this sector was erased",
            "anchor" / U32 * "number of the last ACKNOWLEDGED record before, 0 if none",
        ),
        _body(
            RecordKind.BOOT,
            "The device started.",
            "build" / U32 * "first 32 bits of the git commit",
            "schema_hash" / U32 * "definition that the firmware was generated from",
            "reset_cause" / Id(ResetCause) * "why",
            "firmware_major" / U8 * "version",
            "firmware_minor" / U8 * "version",
            "firmware_patch" / U8 * "version",
        ),
        _body(
            RecordKind.SYRINGE,
            "A syringe was declared, or taken back (volume 0).",
            "pl_per_step" / U32 * "volume of one step, pl",
            "volume_nl" / U32 * "liquid in it, nl",
            "calibration_id" / U32 * "names the calibration in the host's catalog",
            "pressure_limit_kpa" / U16 * "occlusion alarm, kPa",
            "closed_pa" / U16 * "pressure that one step adds at least behind a closed needle, Pa",
        ),
        _body(
            RecordKind.LIMITS,
            "Limits were set.",
            "session_nl" / U32 * "most of a session, nl",
            "shot_nl" / U32 * "most of a shot, nl",
            "shots" / U32 * "most shots",
        ),
        _body(
            RecordKind.SESSION_START,
            "A program was armed and started.",
            "session_id" / U32 * "number that the host gave",
            "program_crc" / U32 * "CRC-32 of the program",
            "shots" / U32 * "shots planned",
            "steps" / U32 * "dose steps planned",
        ),
        _body(
            RecordKind.SHOT_INTENT,
            "A shot is about to be made.",
            "shot" / U32 * "number of the shot in the session, from 0; primes count apart",
            "dose_steps" / U32 * "forward steps that deliver",
            "advance_steps" / U16 * "forward steps that only take up an earlier retraction",
            "retract_steps" / U16 * "backward steps after the dose that stay pulled back",
            "purpose" / Id(StepKind) * "SHOTS, FLOW or PRIME",
            "early_steps"
            / U16
            * "forward steps before the dose that are taken back after it, besides the others",
        ),
        _body(
            RecordKind.SHOT_RESULT,
            "A shot is over.",
            # A session has at most half as many shots as the journal has room for.
            "shot" / U16 * "number of the shot, as in its intent",
            "pressure_kpa" / U16 * "highest at the plunger while it moved, kPa, 0 if below",
            "forward_steps" / U32 * "witnessed",
            "motion_ms" / U32 * "from its first possible step to its end, ms",
            "backward_steps" / U16 * "witnessed",
            "reason" / Id(EndReason) * "how it ended",
            "purpose" / Id(StepKind) * "as in its intent",
        ),
        _body(
            RecordKind.STATE,
            "The controller changed its state.",
            "state" / Id(ControllerState) * "new",
            "previous" / Id(ControllerState) * "old",
        ),
        _body(
            RecordKind.FAULT,
            "The gun stopped by itself, driver off.",
            "detail" / U32 * "what the fault's description says",
            "forward_steps" / U32 * "witnessed since boot, when the fault was handled",
            "fault" / Id(Fault) * "which",
        ),
        _body(
            RecordKind.SESSION_END,
            "A session is over.",
            "session_id" / U32 * "as at its start",
            "shots" / U32 * "complete shots",
            "delivered_steps" / U32 * "witnessed dose steps of the session",
            "reason" / Id(EndReason) * "how it ended",
        ),
        _body(
            RecordKind.ACKNOWLEDGED,
            "A host has stored records. Carries the running hash of all records before this one: "
            "from one sound record to the next the SHA-256, cut to these bytes, of the hash so far "
            "and the record's 32 bytes. Zeros begin a chain, as at the first record of all.",
            "sequence" / U32 * "everything below this number",
            "digest" / blob(JOURNAL_DIGEST_BYTES) * "running hash before this record",
        ),
        _body(
            RecordKind.CONFIG,
            "A configuration number was written.",
            "value" / U32 * "new",
            "previous" / U32 * "old",
            "key" / Id(ConfigKey) * "which",
        ),
        _body(
            RecordKind.SHOT_PROGRESS,
            "A shot has lasted for another PROGRESS_MS.",
            "shot" / U32 * "number of the shot, as in its intent",
            "forward_steps" / U32 * "witnessed",
            "bound_steps"
            / U32
            * "forward steps that it can have made, at most, when no further record follows",
            "purpose" / Id(StepKind) * "as in its intent",
        ),
    )
}

SECTOR_MAGIC = 0x4E47534D

DIGEST_NONE = bytes(JOURNAL_DIGEST_BYTES)
"""Begins a chain of the journal's running hash."""


class RecordCorrupt(ValueError):
    """These 32 bytes are not a record: length, CRC, kind or a field is wrong."""


class Record(NamedTuple):
    """One decoded journal record.

    Attributes:
        sequence: number of the record on its board.
        boot_id: start of the device that it was made in.
        kind: what `body` holds.
        step: step of the program, or STEP_NONE.
        time_ms: device clock, ms since boot.
        body: the fields of `BODIES[kind]` by name.
        raw: the 32 bytes as the gun wrote them.
    """

    sequence: int
    boot_id: int
    kind: RecordKind
    step: int
    time_ms: int
    body: dict[str, Any]
    raw: bytes


class _Plan(NamedTuple):
    """How to read the body of one kind: its bytes, its names, and what bounds its values."""

    kind: RecordKind
    body: struct.Struct
    names: tuple[str, ...]
    ids: tuple[tuple[str, dict[int, IntEnum]], ...]


def _plan(kind: RecordKind, message: Message) -> _Plan:
    rows = fields_of(message)
    named = [row for row in rows if row.name]
    for row in named:
        if (
            row.enum is None
            and row.type != "bytes"
            and row.maximum - row.minimum + 1 < 1 << 8 * row.size
        ):
            raise TypeError(f"{message.name}.{row.name}: a record knows no bounds but those of ids")
    return _Plan(
        kind,
        struct.Struct(struct_format(rows)),
        tuple(row.name for row in named),
        tuple((row.name, {int(each): each for each in row.enum}) for row in named if row.enum),
    )


# A session has twenty thousand records and construct takes fifty times as long, so its layouts are
# compiled into one `struct` for each kind. Why a record is refused is left to construct's words.
_HEAD_FORMAT = struct_format(fields_of(HEAD))
_HEAD = struct.Struct(_HEAD_FORMAT)
_FRAME = struct.Struct(f"{_HEAD_FORMAT}{BODY_BYTES}sI")
_PLANS = {int(kind): _plan(kind, body) for kind, body in BODIES.items()}


def decode_record(raw: bytes) -> Record:
    """Decode and check one record.

    Raises:
        RecordCorrupt: if the length, the CRC, the kind or any field is wrong.
    """
    if len(raw) != RECORD_BYTES:
        raise RecordCorrupt(f"a record has {RECORD_BYTES} bytes, not {len(raw)}")
    sequence, boot_id, number, step, time_ms, content, crc = _FRAME.unpack(raw)
    if zlib.crc32(raw[:-4]) != crc:
        raise RecordCorrupt(f"CRC {crc:08x} does not match the record's bytes")
    plan = _PLANS.get(number)
    if plan is None:
        raise _refusal(HEAD, raw[: _HEAD.size])
    body: dict[str, Any] = dict(zip(plan.names, plan.body.unpack(content), strict=True))
    for name, members in plan.ids:
        member = members.get(body[name])
        if member is None:
            raise _refusal(BODIES[plan.kind], content)
        body[name] = member
    return Record(sequence, boot_id, plan.kind, step, time_ms, body, bytes(raw))


def decode_head(raw: bytes) -> tuple[int, int, RecordKind]:
    """Return boot, sequence number and kind of a record whose CRC was checked.

    Raises:
        RecordCorrupt: if the kind is not known.
    """
    sequence, boot_id, number, _, _ = _HEAD.unpack_from(raw)
    plan = _PLANS.get(number)
    if plan is None:
        raise _refusal(HEAD, raw[: _HEAD.size])
    return boot_id, sequence, plan.kind


def _refusal(message: Message, content: bytes) -> RecordCorrupt:
    """Return in construct's words why `content` is not `message`."""
    try:
        message.parse(content)
    except MessageError as error:
        return RecordCorrupt(str(error))
    raise AssertionError(f"{message.name}: construct takes what its compiled layout refuses")


def next_digest(digest: bytes, raw: bytes) -> bytes:
    """Return the journal's running hash with one record more, as the gun keeps it."""
    return hashlib.sha256(digest + raw).digest()[:JOURNAL_DIGEST_BYTES]


def encode_record(
    sequence: int, boot_id: int, kind: RecordKind, step: int, time_ms: int, /, **body: Any
) -> bytes:
    """Build the 32 bytes of a record, as the gun does.

    The head goes by position, because a body may have a field of the same name.

    Raises:
        MessageError: if a field is missing, unknown or out of bounds.
    """
    head = HEAD.build(sequence=sequence, boot_id=boot_id, kind=kind, step=step, time_ms=time_ms)
    content = head + BODIES[kind].build(**body)
    return content + U32.build(zlib.crc32(content))
