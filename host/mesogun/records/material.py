"""Everything that the store holds about one session, read in one transaction."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, Table, select

from mesogun.errors import RecordError
from mesogun.records import chain, tables
from mesogun.records.clock import ClockMapping
from mesogun.records.intake import RecordKey
from mesogun.records.rows import Query, read
from mesogun.records.span import (
    Gap,
    Row,
    Span,
    find_span,
    gaps_between,
    prepared_rows,
    syringe_record,
)
from mesogun.records.tables import Note, Seal, Session
from mesogun.words import _
from mesogun_protocol.records import Record, RecordCorrupt, decode_record


@dataclass(frozen=True)
class Material:
    """A session's row, records, seals, notes and conflicts.

    Attributes:
        syringe: the gun's last SYRINGE record before the session, None if it is not stored.
        prepared: what the gun recorded between that and the start: the needle is primed then. The
            gun's own hash covers it, the seals of the session do not.
        conflicts: keys within the session for which a gun has sent other bytes as well.
    """

    session: Session
    span: Span
    seals: tuple[Seal, ...]
    syringe: Row | None
    prepared: tuple[Row, ...]
    conflicts: tuple[RecordKey, ...]
    notes: tuple[Note, ...]

    @property
    def raw_records(self) -> list[bytes]:
        """The session's records as the gun wrote them."""
        return [row.raw for row in self.span.rows]

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is missing from the session's syringe on."""
        if self.syringe is None:
            return self.span.gaps
        before = (self.syringe, *self.prepared, self.span.rows[0])
        return (*gaps_between([row.sequence for row in before]), *self.span.gaps)

    @cached_property
    def heads(self) -> list[str]:
        """The chain's head after each number of records."""
        return chain.heads(self.session, self.raw_records)

    @cached_property
    def note_heads(self) -> list[str]:
        """The head of the notes' chain after each number of notes."""
        return chain.note_heads(self.session, self.notes)

    @property
    def clock(self) -> ClockMapping | None:
        """Device clock to host time by the last seal, None if the host never found out."""
        last = self.seals[-1] if self.seals else None
        if last is None or last.clock_epoch_s is None or last.clock_rate is None:
            return None
        return ClockMapping(last.clock_epoch_s, last.clock_rate)

    @cached_property
    def sealed_count(self) -> int:
        """Records under the last seal."""
        return self.seals[-1].record_count if self.seals else 0

    def require_whole(self) -> None:
        """Refuse a session that would look as if it had delivered less than it has.

        Raises:
            RecordError: if its start may be damaged, or fewer records are there than were sealed.
        """
        name = self.session.id
        if not self.span.rows and self.span.unreadable_starts:
            raise RecordError(
                _(
                    "Record {record} of board {board} is damaged and may be the start of session "
                    "{session}. Run `mesogun sessions verify {session}`."
                ).format(
                    record=self.span.unreadable_starts[0],
                    board=self.session.board_id,
                    session=name,
                )
            )
        if len(self.span.rows) < self.sealed_count:
            raise RecordError(
                _(
                    "Session {session} has lost records: {sealed} were sealed, {stored} are "
                    "stored. Run `mesogun sessions verify {session}`."
                ).format(session=name, sealed=self.sealed_count, stored=len(self.span.rows))
            )

    def decoded(self) -> list[Record]:
        """Return the session's records.

        Raises:
            RecordError: if one cannot be read.
        """
        return [self._decoded(row) for row in self.span.rows]

    def decoded_prepared(self) -> list[Record]:
        """Return the records before its start, as `decoded` does."""
        return [self._decoded(row) for row in self.prepared]

    def _decoded(self, row: Row) -> Record:
        try:
            return decode_record(row.raw)
        except RecordCorrupt as error:
            raise RecordError(
                _(
                    "Record {record} of session {session} is damaged ({error}). Run `mesogun "
                    "sessions verify {session}`."
                ).format(record=row.sequence, session=self.session.id, error=error)
            ) from error


def load(db: Connection, session: Session) -> Material:
    """Read what the store holds about `session`."""
    span = find_span(db, session)
    syringe = syringe_record(db, session, span.rows[0]) if span.rows else None
    return Material(
        session,
        span,
        tuple(read(db, Seal, _numbered(tables.seals, session))),
        syringe,
        prepared_rows(db, session, syringe, span.rows[0]) if syringe else (),
        _conflicts(db, session, span),
        tuple(read(db, Note, _numbered(tables.notes, session))),
    )


def _numbered(table: Table, session: Session) -> Query:
    return select(table).where(table.c.session == session.id).order_by(table.c.number)


def _conflicts(db: Connection, session: Session, span: Span) -> tuple[RecordKey, ...]:
    if not span.rows:
        return ()
    found = db.execute(
        select(tables.conflicts.c.boot_id, tables.conflicts.c.sequence)
        .where(
            tables.conflicts.c.board_id == session.board_id,
            tables.conflicts.c.boot_id == span.rows[0].boot_id,
            tables.conflicts.c.sequence.between(span.rows[0].sequence, span.rows[-1].sequence),
        )
        .order_by(tables.conflicts.c.sequence)
    )
    return tuple(RecordKey(*row) for row in found)
