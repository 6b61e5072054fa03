"""The tables of the record store; a row of `sessions`, `records` or `seals` is never changed.

With one exception: a patient reference and its salt can be erased (`privacy`).

Whatever follows from other columns is not stored: volumes follow from steps, a program's CRC from
its bytes, shots and faults from the raw records. Every integer column has 64 bits because the gun's
are unsigned 32.
"""

import json
import secrets
import zlib
from dataclasses import Field, dataclass, field, fields
from datetime import UTC, datetime
from types import NoneType
from typing import Annotated, Any, Final, get_args, get_origin

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

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


SessionId = Annotated[str, String(_ID_LENGTH)]
BoardId = Annotated[str, String(16)]
Moment = Annotated[str, String(32)]
Digest = Annotated[str, String(64)]
Word = Annotated[str, String(16)]

_TYPES: Final[dict[object, Any]] = {
    int: BigInteger(),
    float: Double(),
    bytes: LargeBinary(),
    str: String(),
}
"""Of the columns whose size is not given."""

metadata = MetaData()
"""Every table of a store."""


def _table_of(row: type, name: str, *more: SchemaItem) -> Table:
    """Make the table whose columns are the fields of the dataclass `row`."""
    return Table(name, metadata, *map(_column, fields(row)), *more)


def _column(field: Field[Any]) -> Column[Any]:
    told = field.type
    is_optional = NoneType in get_args(told)
    if is_optional:
        told, _ = get_args(told)
    sized = get_args(told)[1] if get_origin(told) is Annotated else _TYPES[told]
    return Column(field.name, sized, nullable=is_optional)


store_version = Table(
    "mesogun_store",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
)
"""One row: the layout of this store."""


@dataclass(kw_only=True)
class Session:
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

    board_id: BoardId
    boot_id: int
    program_name: str
    program_toml: str = field(repr=False)
    program_wire: bytes = field(repr=False)
    shots_planned: int
    volume_planned_nl: int
    syringe: str
    needle: str
    pl_per_step: int
    calibration_id: int
    limit_session_nl: int
    limit_shot_nl: int
    limit_shots: int
    firmware_version: str
    firmware_build: int
    schema_hash: int
    gun_kind: str
    gun_port: str
    operator: str | None = field(default=None, repr=False)
    patient_ref: str | None = field(default=None, repr=False)
    seed: int | None = None
    patient_salt: Digest | None = field(default=None, repr=False)
    patient_digest: Digest | None = field(default=None, repr=False)
    session_id: int = field(default_factory=new_session_number)
    id: SessionId = field(default_factory=new_session_name)
    created_at: Moment = field(default_factory=utc_now_text)

    @property
    def program_crc(self) -> int:
        """CRC-32 of `program_wire`, as PROGRAM_COMMIT and SESSION_START carry it."""
        return zlib.crc32(self.program_wire)

    @property
    def patient_erased(self) -> bool:
        """Whether there was a patient reference and it was erased."""
        return self.patient_ref is None and self.patient_digest is not None


sessions = _table_of(
    Session,
    "sessions",
    PrimaryKeyConstraint("id"),
    UniqueConstraint("board_id", "session_id"),
    Index("sessions_by_time", "created_at"),
)

_KEY: Final = ("board_id", "boot_id", "sequence")


def _record_columns() -> list[Column[Any]]:
    return [
        Column("board_id", String(16), nullable=False),
        Column("boot_id", BigInteger, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("raw", LargeBinary(RECORD_BYTES), nullable=False),
        Column("received_at", String(32), nullable=False),
    ]


records = Table(
    "records",
    metadata,
    *_record_columns(),
    Column("kind", BigInteger, nullable=False),
    Column("session_id", BigInteger),
    PrimaryKeyConstraint(*_KEY),
    Index("records_by_kind", "board_id", "kind"),
    # Without the records that have no number, which are a thousand times as many.
    Index(
        "records_by_session", "board_id", "session_id", sqlite_where=text("session_id IS NOT NULL")
    ),
)
"""Journal records as the gun wrote them.

`boot_id`, `sequence` and `kind` repeat what `raw` says, for queries, and so does `session_id` for a
SESSION_START; other records have none.
"""

conflicts = Table(
    "conflicts",
    metadata,
    *_record_columns(),
    PrimaryKeyConstraint(*_KEY, "raw"),
)
"""Records whose key is taken by other bytes: kept as evidence, never in place of the first."""


@dataclass(kw_only=True)
class Note:
    """Something that people told or confirmed about a session, as the host wrote it down.

    Attributes:
        session: `Session.id`.
        number: from 0.
        made_at: ISO 8601, UTC.
        kind: what it is, such as `checklist`; its reader knows what the content means.
        content: a JSON object.
    """

    session: SessionId
    number: int
    kind: Word
    content: str = field(repr=False)
    made_at: Moment = field(default_factory=utc_now_text)

    @property
    def fields(self) -> dict[str, Any]:
        """The content, parsed."""
        return json.loads(self.content)


_OF_A_SESSION: Final = (["session"], ["sessions.id"])

notes = _table_of(
    Note,
    "notes",
    PrimaryKeyConstraint("session", "number"),
    ForeignKeyConstraint(*_OF_A_SESSION),
)


@dataclass(kw_only=True)
class Seal:
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

    session: SessionId
    number: int
    sealed_at: Moment
    record_count: int
    head_hash: Digest
    status: Word
    clock_epoch_s: float | None = None
    clock_rate: float | None = None
    note_count: int | None = None
    note_head: Digest | None = None
    gun_next: int | None = None
    gun_digest: Annotated[str, String(24)] | None = None
    form: int = SEAL_FORM
    seal: Digest = ""


seals = _table_of(
    Seal,
    "seals",
    PrimaryKeyConstraint("session", "number"),
    ForeignKeyConstraint(*_OF_A_SESSION),
)


def prepare_for(backend: str) -> None:
    """Complete what is to be created in a database of this kind.

    A `postgresql_where` in the table itself would make every command load all of SQLAlchemy's
    PostgreSQL, 23 ms of the 410 that `mesogun sessions show` takes.
    """
    if backend == "postgresql":
        for index in records.indexes:
            if "sqlite_where" in index.dialect_kwargs:
                index.dialect_kwargs["postgresql_where"] = index.dialect_kwargs["sqlite_where"]
