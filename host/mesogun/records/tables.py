"""The tables of the record store; a row of `sessions`, `records` or `seals` is never changed.

With one exception: a patient reference and its salt can be erased (`privacy`).

Whatever follows from other columns is not stored: volumes follow from steps, a program's CRC from
its bytes, shots and faults from the raw records. Every integer column has 64 bits because the gun's
are unsigned 32.
"""

import json
import secrets
import zlib
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from mesogun_protocol.limits import RECORD_BYTES

STORE_VERSION = 5
"""Layout of the tables below: an older store is brought to it (`upgrade`), a newer one refused."""

SEAL_FORM = 2
"""Form of the seals that are made today."""

_ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_ID_LENGTH = 8
LAST_ID = _ID_LETTERS[-1] * _ID_LENGTH
"""No id sorts behind it."""


def new_session_name() -> str:
    """Return a random id that can be read aloud and typed: no 0, o, 1, i or l; 39 bits.

    It begins with a letter: a spreadsheet would take 5e234567 for a number.
    """
    first = secrets.choice(_ID_LETTERS[8:])
    return first + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH - 1))


def new_session_number() -> int:
    """Return a random number for the gun's SESSION_START, 1 to 2**32 - 1."""
    return 1 + secrets.randbelow(0xFFFF_FFFF)


def utc_text(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC to the millisecond, so that texts sort like times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def utc_now_text() -> str:
    """Return the time now as `utc_text`."""
    return utc_text(datetime.now(UTC))


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Root of the tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        float: Double,
        bytes: LargeBinary,
    }


class StoreVersion(Base):
    """One row: the layout of this store."""

    __tablename__ = "mesogun_store"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Session(Base):
    """What the host knew when it armed a gun: made before arming, changed by erasing alone.

    Attributes:
        id: short name of the session, for people and for commands.
        session_id: number under which the gun records it (SESSION_START), 1 to 2**32 - 1. Random
            unless given; a run that must be repeatable to the byte gives one that its seed decides.
        board_id: 16 hexadecimal digits, the gun's HELLO.
        boot_id: the gun's start in which the session was prepared.
        created_at: ISO 8601, UTC.
        program_wire: the program as the gun holds it.
        volume_planned_nl: dose of the whole program, primes not counted.
        pl_per_step: volume of one step in the loaded syringe, pl.
        limit_session_nl: most that the session may deliver; with the next two what SET_LIMITS said.
        firmware_build: first 32 bits of the firmware's commit.
        gun_kind: what stands behind the port, such as `sim` or `board`.
        patient_ref: a code for the patient, never a name; None if not given, or erased.
        seed: of a virtual gun, otherwise None.
        patient_salt: 32 random bytes, hexadecimal, as long as there is a reference.
        patient_digest: what the seals cover in place of the reference (`privacy`); it stays when
            the reference is erased. None if there never was one, and in sessions of layout 2 and
            earlier, whose seals cover the reference itself.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("board_id", "session_id"),
        Index("sessions_by_time", "created_at"),
    )

    board_id: Mapped[str] = mapped_column(String(16))
    boot_id: Mapped[int]
    program_name: Mapped[str]
    program_toml: Mapped[str] = mapped_column(repr=False)
    program_wire: Mapped[bytes] = mapped_column(repr=False)
    shots_planned: Mapped[int]
    volume_planned_nl: Mapped[int]
    syringe: Mapped[str]
    needle: Mapped[str]
    pl_per_step: Mapped[int]
    calibration_id: Mapped[int]
    limit_session_nl: Mapped[int]
    limit_shot_nl: Mapped[int]
    limit_shots: Mapped[int]
    firmware_version: Mapped[str]
    firmware_build: Mapped[int]
    schema_hash: Mapped[int]
    gun_kind: Mapped[str]
    gun_port: Mapped[str]
    operator: Mapped[str | None] = mapped_column(default=None, repr=False)
    patient_ref: Mapped[str | None] = mapped_column(default=None, repr=False)
    seed: Mapped[int | None] = mapped_column(default=None)
    patient_salt: Mapped[str | None] = mapped_column(
        String(64), default=None, init=False, repr=False
    )
    patient_digest: Mapped[str | None] = mapped_column(
        String(64), default=None, init=False, repr=False
    )
    session_id: Mapped[int] = mapped_column(default_factory=new_session_number)
    id: Mapped[str] = mapped_column(
        String(_ID_LENGTH), primary_key=True, default_factory=new_session_name
    )
    created_at: Mapped[str] = mapped_column(String(32), default_factory=utc_now_text)

    @property
    def program_crc(self) -> int:
        """CRC-32 of `program_wire`, as PROGRAM_COMMIT and SESSION_START carry it."""
        return zlib.crc32(self.program_wire)

    @property
    def patient_erased(self) -> bool:
        """Whether there was a patient reference and it was erased."""
        return self.patient_ref is None and self.patient_digest is not None


_NUMBERED = text("session_id IS NOT NULL")


class StoredRecord(Base):
    """A journal record as the gun wrote it.

    `boot_id`, `sequence` and `kind` repeat what `raw` says, for queries, and so does `session_id`
    for a SESSION_START; other records have none.
    """

    __tablename__ = "records"
    __table_args__ = (
        Index("records_by_kind", "board_id", "kind"),
        # Without the records that have none, which are a thousand times as many.
        Index(
            "records_by_session",
            "board_id",
            "session_id",
            sqlite_where=_NUMBERED,
        ),
    )

    board_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    boot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[int]
    raw: Mapped[bytes] = mapped_column(LargeBinary(RECORD_BYTES))
    received_at: Mapped[str] = mapped_column(String(32))
    session_id: Mapped[int | None] = mapped_column(default=None)


class Conflict(Base):
    """A record whose key is taken by other bytes: kept as evidence, never in place of the first."""

    __tablename__ = "conflicts"

    board_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    boot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    raw: Mapped[bytes] = mapped_column(LargeBinary(RECORD_BYTES), primary_key=True)
    received_at: Mapped[str] = mapped_column(String(32))


class Note(Base):
    """Something that people told or confirmed about a session, as the host wrote it down.

    Attributes:
        session: `Session.id`.
        number: from 0.
        made_at: ISO 8601, UTC.
        kind: what it is, such as `checklist`; its reader knows what the content means.
        content: a JSON object.
    """

    __tablename__ = "notes"

    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(repr=False)
    made_at: Mapped[str] = mapped_column(String(32), default_factory=utc_now_text)

    @property
    def fields(self) -> dict[str, Any]:
        """The content, parsed."""
        return json.loads(self.content)


class Seal(Base):
    """What a session consisted of at one moment; the next seal can only add to it.

    Attributes:
        session: `Session.id`.
        number: from 0, which is made together with the session.
        record_count: records of the session at that moment.
        head_hash: the chain's head after them, hexadecimal (`chain.heads`).
        status: `SessionStatus` at that moment.
        clock_epoch_s: host time at the device clock's zero, seconds since 1970, None if unknown.
        clock_rate: host seconds for one second of the device clock, None if unknown.
        note_count: notes of the session at that moment, None for none.
        note_head: the head of their chain (`chain.note_heads`), None for none.
        gun_next: the gun's own running hash covered the records below this number, which are at
            least those of the session; None if the gun was not asked.
        gun_digest: that hash, hexadecimal (`gun_chain`).
        form: which columns the digest covers (`chain.seal_digest`).
        seal: digest over all this, the session's row and the seal before (`chain.seal_digest`).
    """

    __tablename__ = "seals"

    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_at: Mapped[str] = mapped_column(String(32))
    record_count: Mapped[int]
    head_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    clock_epoch_s: Mapped[float | None] = mapped_column(default=None)
    clock_rate: Mapped[float | None] = mapped_column(default=None)
    note_count: Mapped[int | None] = mapped_column(default=None)
    note_head: Mapped[str | None] = mapped_column(String(64), default=None)
    gun_next: Mapped[int | None] = mapped_column(default=None)
    gun_digest: Mapped[str | None] = mapped_column(String(24), default=None)
    form: Mapped[int] = mapped_column(default=SEAL_FORM)
    seal: Mapped[str] = mapped_column(String(64), default="")


def prepare_for(backend: str) -> None:
    """Complete what is to be created in a database of this kind.

    A `postgresql_where` in the table itself would make every command load all of SQLAlchemy's
    PostgreSQL, which takes a sixth of the time of `mesogun sessions show`.
    """
    if backend == "postgresql":
        for index in Base.metadata.tables[StoredRecord.__tablename__].indexes:
            if "sqlite_where" in index.dialect_kwargs:
                index.dialect_kwargs["postgresql_where"] = index.dialect_kwargs["sqlite_where"]
