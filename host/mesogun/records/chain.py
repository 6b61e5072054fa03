"""The hash chain of a session and its seals: what each covers, to the byte.

`record_hash` proves the record. It depends on nothing that differs between two runs of one seeded
virtual gun, so the same run gives the same hash on any machine on any day:

    head_0 = SHA-256(canonical JSON of HEADER_TAG and the HEADER_FIELDS of the session)
    head_i = SHA-256(head_{i-1} || the 32 bytes of the session's i-th record)

Records go in by sequence number, from SESSION_START to SESSION_END or to the last one of an
interrupted session; gaps are skipped. Board, people and wall time are not in it; sequence, boot and
session number are, because the gun writes them into its records.

`seal` proves everything else. It covers the session's row, the count, head, status and clock of the
records, the notes, and the seal before it. Notes have a chain like records, from the session's id
on. None is keyed: who can write the store can build another that is right in itself, and is found
by a hash that was printed or sent elsewhere.

What a seal covers, its form says. Form 1, of layout 2 and earlier, covers the patient reference
itself, so it can no longer be computed once that is erased. Form 2 covers the reference's salted
digest in its place, and every seal of form 1 before it; what has no value is left out, so that a
column that is added later changes no seal that is there.

Canonical JSON has sorted keys, no white space and ASCII only; bytes are hexadecimal.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mesogun.records.tables import Note, Seal, Session

HEADER_TAG = "mesogun-record-1"
NOTES_TAG = "mesogun-notes-1"

HEADER_FIELDS = (
    "program_wire",
    "program_crc",
    "shots_planned",
    "volume_planned_nl",
    "syringe",
    "needle",
    "pl_per_step",
    "calibration_id",
    "limit_session_nl",
    "limit_shot_nl",
    "limit_shots",
)

_FIRST_FORM = (
    *(name for name in HEADER_FIELDS if name != "program_crc"),
    "id",
    "session_id",
    "board_id",
    "boot_id",
    "created_at",
    "program_name",
    "program_toml",
    "firmware_version",
    "firmware_build",
    "schema_hash",
    "gun_kind",
    "gun_port",
    "operator",
    "patient_ref",
    "seed",
)
"""Columns of a session that a seal of form 1 covers: those of layout 1."""

_NOT_IN_FIRST_FORM = ("form", "note_count", "note_head", "gun_next", "gun_digest")
"""Columns of a seal that came after form 1."""

ERASABLE = ("patient_ref", "patient_salt")
"""Columns of a session that no seal of form 2 covers."""


def heads(session: Session, raw_records: Iterable[bytes]) -> list[str]:
    """Return the chain's head after 0, 1, 2 ... records, hexadecimal."""
    header = {name: getattr(session, name) for name in HEADER_FIELDS}
    head = _digest(HEADER_TAG, header)
    found = [head.hex()]
    for raw in raw_records:
        head = hashlib.sha256(head + raw).digest()
        found.append(head.hex())
    return found


def note_heads(session: Session, notes: Iterable[Note]) -> list[str]:
    """Return the head of the notes' chain after 0, 1, 2 ... notes, hexadecimal."""
    found = [_digest(NOTES_TAG, {"session": session.id}).hex()]
    for note in notes:
        found.append(_digest(NOTES_TAG, {"previous": found[-1], "note": columns(note)}).hex())
    return found


def seal_digest(session: Session, seal: Seal, earlier: Sequence[Seal]) -> str:
    """Return what `seal.seal` must be, given the seals before it, which are none for number 0."""
    previous = earlier[-1].seal if earlier else ""
    if seal.form == 1:
        content = {
            "previous": previous,
            "session": {name: getattr(session, name) for name in _FIRST_FORM},
            "sealed": columns(seal, "seal", *_NOT_IN_FIRST_FORM),
        }
    else:
        content = {
            "previous": previous,
            "first_form": [_given(columns(each)) for each in earlier if each.form == 1],
            "session": _given(columns(session, *ERASABLE)),
            "sealed": _given(columns(seal, "seal")),
        }
    return _digest(f"mesogun-seal-{seal.form}", content).hex()


def columns(row: Session | Note | Seal, *without: str) -> dict[str, Any]:
    """Return a row's columns by name, those in `without` left out."""
    return {name: value for name, value in asdict(row).items() if name not in without}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _digest(tag: str, content: Mapping[str, Any]) -> bytes:
    text = json.dumps(
        {"tag": tag, **content}, sort_keys=True, separators=(",", ":"), default=bytes.hex
    )
    return hashlib.sha256(text.encode("ascii")).digest()
