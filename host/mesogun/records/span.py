"""Finds the records of a session among those of its board.

A session lies within one start of the device. It begins with the SESSION_START that carries its
number and ends with the next SESSION_END; without one it ends before the next SESSION_START or the
next boot. Everything is asked anew of the table each time, so the order in which records came in
plays no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from mesogun.records import tables
from mesogun.records.rows import Query
from mesogun.records.tables import Session
from mesogun.words import N_, Message
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.records import RecordCorrupt, decode_record

_RECORD: Final = tables.records.c


class SessionStatus(StrEnum):
    """How far the records tell a session's story."""

    PLANNED = "planned"
    """Prepared by the host; the store has no record of a start."""
    OPEN = "open"
    """Started; no end is stored: it runs, or the rest is still in the gun."""
    INTERRUPTED = "interrupted"
    """Started and never ended: the device started again, or another session did."""
    ENDED = "ended"
    """Ended by the gun, whatever the reason."""


_STATUS: Final = (N_("planned"), N_("open"), N_("interrupted"), N_("ended"))


def in_words(status: str) -> Message:
    """A status, or one that another version has sealed, for people."""
    return Message(str(status))


UNFINISHED = (SessionStatus.PLANNED, SessionStatus.OPEN)
"""Records may still come for these."""


class Row(NamedTuple):
    """A stored record; the first three repeat what `raw` says."""

    boot_id: int
    sequence: int
    kind: int
    raw: bytes


class Gap(NamedTuple):
    """Sequence numbers that are missing, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.in_words)

    @property
    def in_words(self) -> Message:
        """Its numbers."""
        figures = {"first": self.first, "last": self.last}
        return Message("{first}" if self.first == self.last else N_("{first} to {last}"), figures)


def gaps_between(numbers: Sequence[int]) -> tuple[Gap, ...]:
    """Return what is missing among ascending sequence numbers."""
    return tuple(Gap(a + 1, b - 1) for a, b in pairwise(numbers) if b - a > 1)


@dataclass(frozen=True)
class Span:
    """The records of a session, in the order of their sequence numbers.

    Attributes:
        status: derived from what is stored now.
        rows: from SESSION_START on; empty if none is stored.
        boundary: number of the record that followed an interrupted session and is not part of it.
        repeated_starts: numbers of further SESSION_STARTs with the same session number.
        unreadable_starts: numbers of the board's SESSION_STARTs that cannot be decoded; looked for
            only if `rows` is empty, since one of them may be this session's.
    """

    status: SessionStatus
    rows: tuple[Row, ...] = ()
    boundary: int | None = None
    repeated_starts: tuple[int, ...] = ()
    unreadable_starts: tuple[int, ...] = ()

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is missing between the first record and the last, or the one that follows."""
        numbers = [row.sequence for row in self.rows]
        if self.boundary is not None:
            numbers.append(self.boundary)
        return gaps_between(numbers)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can follow."""
        return self.status in {SessionStatus.ENDED, SessionStatus.INTERRUPTED}


def find_span(db: Connection, session: Session) -> Span:
    """Return the span of `session` as the store has it now."""
    starts, unreadable = _starts(db, session)
    if not starts:
        return Span(SessionStatus.PLANNED, unreadable_starts=unreadable)
    start, *repeated = starts
    closing = _same_boot(session, start).where(
        _RECORD.sequence > start.sequence,
        _RECORD.kind.in_([RecordKind.SESSION_END, RecordKind.SESSION_START]),
    )
    end = db.execute(closing.limit(1)).first()
    rows = _same_boot(session, start).where(_RECORD.sequence >= start.sequence)
    if end is None:
        boundary = _later_boot(db, session, start)
        status = SessionStatus.OPEN if boundary is None else SessionStatus.INTERRUPTED
    elif end.kind == RecordKind.SESSION_END:
        rows = rows.where(_RECORD.sequence <= end.sequence)
        boundary, status = None, SessionStatus.ENDED
    else:
        rows = rows.where(_RECORD.sequence < end.sequence)
        boundary, status = end.sequence, SessionStatus.INTERRUPTED
    return Span(
        status,
        tuple(Row(*row) for row in db.execute(rows)),
        boundary,
        tuple(row.sequence for row in repeated),
        unreadable,
    )


def syringe_record(db: Connection, session: Session, start: Row) -> Row | None:
    """Return the last SYRINGE record before `start`, None if it is not in the store."""
    found = db.execute(
        select_rows(session.board_id)
        .where(
            _RECORD.boot_id == start.boot_id,
            _RECORD.kind == RecordKind.SYRINGE,
            _RECORD.sequence < start.sequence,
        )
        .order_by(_RECORD.sequence.desc())
        .limit(1)
    ).first()
    return None if found is None else Row(*found)


def prepared_rows(db: Connection, session: Session, syringe: Row, start: Row) -> tuple[Row, ...]:
    """Return the records between the session's syringe and its start, such as those of a prime."""
    return tuple(
        Row(*row)
        for row in db.execute(
            _same_boot(session, start).where(
                _RECORD.sequence > syringe.sequence, _RECORD.sequence < start.sequence
            )
        )
    )


def select_rows(board_id: str) -> Query:
    """Return what selects the records of a board as a `Row` each."""
    return select(*(_RECORD[name] for name in Row._fields)).where(_RECORD.board_id == board_id)


def _same_boot(session: Session, start: Row) -> Query:
    return (
        select_rows(session.board_id)
        .where(_RECORD.boot_id == start.boot_id)
        .order_by(_RECORD.sequence)
    )


def _starts(db: Connection, session: Session) -> tuple[list[Row], tuple[int, ...]]:
    """Return the starts of `session`, and those of its board that cannot be read if it has none."""
    numbered = _RECORD.session_id == session.session_id
    # A start whose number is not beside it is sought among all, in case somebody took it away. The
    # rows are sorted here: asked for an order, SQLite reads every record of the board to have it.
    for condition in (numbered, _RECORD.kind == RecordKind.SESSION_START):
        unreadable: list[int] = []
        mine: list[Row] = []
        query = select_rows(session.board_id).where(condition)
        for row in sorted(Row(*each) for each in db.execute(query)):
            number = _session_number(row.raw)
            if number is None:
                unreadable.append(row.sequence)
            elif number == session.session_id:
                mine.append(row)
        if mine:
            return mine, ()
    return [], tuple(unreadable)


def _session_number(raw: bytes) -> int | None:
    """Return the session number of a SESSION_START, None if it cannot be read."""
    try:
        return decode_record(raw).body.get("session_id")
    except RecordCorrupt:
        return None


def _later_boot(db: Connection, session: Session, start: Row) -> int | None:
    """Return the first record of the next start of the device that the store knows of."""
    return db.scalar(
        select(_RECORD.sequence)
        .where(_RECORD.board_id == session.board_id, _RECORD.boot_id > start.boot_id)
        .order_by(_RECORD.boot_id, _RECORD.sequence)
        .limit(1)
    )
