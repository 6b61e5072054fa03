"""The record store: what the host knew, what the gun wrote, and the proof that both still stand."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from mesogun.errors import RecordError, UsageError
from mesogun.records import export, gun_chain, intake, privacy, tables
from mesogun.records.clock import ClockMapping
from mesogun.records.database import Database, default_url
from mesogun.records.gun_chain import GunHash
from mesogun.records.intake import IngestResult
from mesogun.records.material import Material, load
from mesogun.records.rows import Query, add, read
from mesogun.records.sealing import add_seal, renew_seal, require_sealable
from mesogun.records.span import UNFINISHED
from mesogun.records.tables import (
    LAST_ID,
    Note,
    Seal,
    Session,
    utc_now_text,
    utc_text,
)
from mesogun.records.verify import VerifyReport, check
from mesogun.records.view import SessionRecord, build
from mesogun.records.visit import sessions_of_visit
from mesogun.words import _


class Store:
    """A store that is open; every method is one transaction.

    Where a method names a session, a unique beginning of its id will do. Each raises `RecordError`
    if there is no such session, or if the database is locked, read-only, full or damaged.
    """

    def __init__(self, database: Database) -> None:
        """Use `Store.open`."""
        self._database = database

    @classmethod
    def open(cls, url: str | None = None, *, busy_timeout_s: float = 5.0) -> Self:
        """Open a store; make it if its database is empty, bring it up if it is an older one's.

        Args:
            url: any SQLAlchemy URL; None for MESOGUN_DB or else a SQLite file of this user.
            busy_timeout_s: how long to wait for another program's lock, and for a server to answer,
                seconds.

        Raises:
            RecordError: if there is no such folder, server, right or driver, or a newer store or
                something else in it.
        """
        return cls(Database(url or default_url(), busy_timeout_s))

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The store's URL without its password."""
        return self._database.name

    def create_session(
        self, session: Session, notes: Iterable[tuple[str, Mapping[str, Any]]] = ()
    ) -> Session:
        """Store what the host knows before it arms the gun, and seal it.

        Args:
            session: the row.
            notes: kind and content of each note (`add_note`).

        Raises:
            RecordError: if the board has a session of this number already, or an id is wrong.
        """
        intake.checked_board_id(session.board_id)
        if not 1 <= session.session_id <= 0xFFFF_FFFF:
            raise RecordError(
                _(
                    "A session number of {number} cannot be given to a gun: 1 to 4294967295 are "
                    "allowed (session_id of ARM)."
                ).format(number=session.session_id)
            )
        with self._database.write() as db:
            try:
                add(db, tables.sessions, session)
            except IntegrityError as error:
                raise RecordError(
                    _(
                        "Board {board} has a session number {number} already, or the store one "
                        "named {name}. Prepare the session anew with another number."
                    ).format(board=session.board_id, number=session.session_id, name=session.id)
                ) from error
            told = (_note(session, number, *note) for number, note in enumerate(notes))
            add(db, tables.notes, *told)
            add_seal(db, load(db, session))
        return session

    def add_note(self, name: str, kind: str, content: Mapping[str, Any]) -> None:
        """Store what people told or confirmed about a session, and seal it.

        Args:
            name: the session.
            kind: what it is, at most 16 letters.
            content: what JSON can hold; never who the patient is, for notes are not erased.

        Raises:
            RecordError: as `seal_session`; then nothing is stored.
        """

        def note(db: Connection) -> None:
            before = load(db, _found(db, name))
            add(db, tables.notes, _note(before.session, len(before.notes), kind, content))
            material = load(db, before.session)
            material.require_whole()
            require_sealable(material, before)
            add_seal(db, material)

        self._database.transact(note)

    def ingest(self, board_id: str, raw_records: Iterable[bytes]) -> IngestResult:
        """Store raw journal records, each exactly once, whatever comes again and in whatever order.

        Args:
            board_id: 16 hexadecimal digits.
            raw_records: 32 bytes each.

        Raises:
            RecordError: if one of them is corrupt; then none is stored.
        """
        records = list(raw_records)
        return self._database.transact(
            lambda db: intake.ingest(db, board_id, records, utc_now_text())
        )

    def find_session(self, name: str) -> Session:
        """Return the session whose id begins with `name`.

        Raises:
            RecordError: if there is none, or more than one.
        """
        with self._database.read() as db:
            return _found(db, name)

    def list_sessions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        operator: str | None = None,
        patient_ref: str | None = None,
        board_id: str | None = None,
        limit: int | None = None,
    ) -> list[Session]:
        """Return the sessions that meet every condition given, the newest first.

        Args:
            since: made at this time or later; needs a time zone, as does the next.
            until: made before this time.
            operator: exactly this one.
            patient_ref: exactly this one.
            board_id: 16 hexadecimal digits, or the first of them.
            limit: at most this many, None for all.

        Raises:
            UsageError: if a time has no zone, or the board id other signs.
        """
        row = tables.sessions.c
        query = select(tables.sessions).order_by(row.created_at.desc(), row.id)
        if since is not None:
            query = query.where(row.created_at >= _zoned_text(since))
        if until is not None:
            query = query.where(row.created_at < _zoned_text(until))
        if operator is not None:
            query = query.where(row.operator == operator)
        if patient_ref is not None:
            query = query.where(row.patient_ref == patient_ref)
        if board_id is not None:
            query = query.where(row.board_id.startswith(_board_beginning(board_id)))
        with self._database.read() as db:
            return read(db, Session, query.limit(limit))

    def unfinished_sessions(self, board_id: str) -> list[Session]:
        """Return the sessions of a board that were last sealed as planned or open, oldest first.

        Args:
            board_id: 16 hexadecimal digits.
        """
        board_id = intake.checked_board_id(board_id)
        with self._database.read() as db:
            return read(db, Session, _unfinished().params(board_id=board_id))

    def session_view(self, name: str) -> SessionRecord:
        """Return the session as its records tell it now.

        Raises:
            RecordError: if a record is damaged or sealed ones are gone; `verify` tells all of it.
        """
        return _view(self._load(name))

    def session_records(self, name: str) -> tuple[SessionRecord, list[bytes]]:
        """Return `session_view` and the records that it tells of, as the gun wrote them.

        Raises:
            RecordError: as `session_view`.
        """
        material = self._load(name)
        return _view(material), material.raw_records

    def proven_view(self, name: str) -> tuple[SessionRecord, VerifyReport]:
        """Return `session_view` and `verify` of one and the same moment.

        Raises:
            RecordError: as `session_view`.
        """
        material, report = self._checked(name)
        return _view(material), report

    def proven_visit(self, name: str) -> list[tuple[SessionRecord, VerifyReport]]:
        """Return `proven_view` of each session of the visit that the named one is a part of.

        Raises:
            RecordError: as `session_view`, of any of them.
        """
        with self._database.read() as db:
            found = [load(db, each) for each in sessions_of_visit(db, _found(db, name))]
            proven = [(each, check(each, gun_chain.prove_session(db, each))) for each in found]
        return [(_view(material), report) for material, report in proven]

    def seal_session(
        self, name: str, clock: ClockMapping | None = None, gun_hash: GunHash | None = None
    ) -> Seal:
        """Seal what is stored of a session; sealing again can only add to what was sealed.

        Args:
            name: the session.
            clock: device clock to host time; None keeps the one of the seal before.
            gun_hash: what the gun told last; left out where it does not cover the whole session.

        Returns:
            The new seal, or the last one if nothing is new.

        Raises:
            RecordError: if something sealed was changed, or an open session has a gap.
        """

        def seal(db: Connection) -> Seal:
            material = load(db, _found(db, name))
            material.require_whole()
            require_sealable(material, material)
            return add_seal(db, material, clock, gun_hash)

        return self._database.transact(seal)

    def verify(self, name: str) -> VerifyReport:
        """Return everything that is wrong with a session."""
        return self._checked(name)[1]

    def verify_gun(
        self, board_id: str, gun_hash: GunHash, unstored: Iterable[bytes] = ()
    ) -> gun_chain.Proof:
        """Compare all records of a gun with the running hash that it tells.

        Args:
            board_id: 16 hexadecimal digits.
            gun_hash: what the gun tells now.
            unstored: records below its `next` that the gun still holds and the store does not.
        """
        with self._database.read() as db:
            board_id = intake.checked_board_id(board_id)
            return gun_chain.prove_board(db, board_id, gun_hash, unstored)

    def last_sequence(self, board_id: str) -> int:
        """Return the highest number of a record of this board, 0 if there is none.

        Args:
            board_id: 16 hexadecimal digits.
        """
        with self._database.read() as db:
            return gun_chain.last_sequence(db, intake.checked_board_id(board_id))

    def verify_all(self) -> list[VerifyReport]:
        """Verify each session, the newest first."""
        return [self.verify(session.id) for session in self.list_sessions()]

    def erase_patient(self, patient_ref: str) -> list[str]:
        """Erase a patient reference from every session that has it, and from the file's free space.

        Everything else of the sessions stays, and stays proven. What other copies of the store
        hold, such as backups, is out of reach.

        Returns:
            The ids of the sessions that had it, the oldest first.

        Raises:
            RecordError: if another program keeps the store from being cleaned; the reference is
                erased then, and may still lie in space that the database no longer uses.
        """

        def erase(db: Connection) -> list[str]:
            row = tables.sessions.c
            query = select(tables.sessions).where(row.patient_ref == patient_ref)
            sessions = read(db, Session, query.order_by(row.created_at, row.id))
            for session in sessions:
                renew_seal(db, load(db, session))
                privacy.erase(db, session)
            return [session.id for session in sessions]

        erased = self._database.transact(erase)
        self._database.scrub(tables.sessions)
        return erased

    def backups(self) -> list[Path]:
        """Return the copies that were made beside a SQLite file before it was brought up."""
        return self._database.backups()

    def export(self, name: str, form: str) -> str:
        """Return a session as text; see `mesogun.records.export`.

        Args:
            name: the session.
            form: `csv` or `json`.

        Raises:
            UsageError: if `form` is anything else.
        """
        if form not in {"csv", "json"}:
            raise UsageError(f"{form!r} is no export format; csv and json are.")
        material = self._load(name)
        record = _view(material)
        if form == "csv":
            return export.to_csv(record)
        return export.to_json(record, material.raw_records)

    def _checked(self, name: str) -> tuple[Material, VerifyReport]:
        with self._database.read() as db:
            material = load(db, _found(db, name))
            return material, check(material, gun_chain.prove_session(db, material))

    def _load(self, name: str) -> Material:
        with self._database.read() as db:
            return load(db, _found(db, name))


@cache
def _unfinished() -> Query:
    """Return what selects the unfinished sessions of the board `board_id`."""
    row, seal = tables.sessions.c, tables.seals.c
    latest = (
        select(seal.session, func.max(seal.number).label("number"))
        .group_by(seal.session)
        .subquery()
    )
    return (
        select(tables.sessions)
        .join(latest, latest.c.session == row.id)
        .join(tables.seals, (seal.session == row.id) & (seal.number == latest.c.number))
        .where(row.board_id == bindparam("board_id"))
        .where(seal.status.in_(UNFINISHED))
        .order_by(row.created_at, row.id)
    )


def _found(db: Connection, name: str) -> Session:
    wanted = name.strip().lower()
    row = tables.sessions.c
    query = (
        select(tables.sessions)
        # The bounds let the database use its index; how it sorts other signs does not matter.
        .where(row.id.between(wanted, wanted + LAST_ID))
        .where(row.id.startswith(wanted, autoescape=True))
        .limit(2)
    )
    matching = read(db, Session, query)
    if not wanted or not matching:
        raise RecordError(
            _("There is no session {name}; `mesogun sessions list` shows all.").format(
                name=repr(name)
            )
        )
    if len(matching) > 1:
        raise RecordError(
            _("More than one session begins with {name}; give more of its id.").format(
                name=repr(name)
            )
        )
    return matching[0]


def _view(material: Material) -> SessionRecord:
    material.require_whole()
    return build(material, material.decoded())


def _board_beginning(board_id: str) -> str:
    if not re.fullmatch("[0-9a-f]{1,16}", board_id.lower()):
        raise UsageError(
            f"{board_id!r} is not the beginning of a board id: up to 16 hexadecimal digits are "
            "expected, as `mesogun sessions show` gives them."
        )
    return board_id.lower()


def _zoned_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise UsageError(f"The time {moment.isoformat()} needs a zone, such as +00:00.")
    return utc_text(moment)


def _note(session: Session, number: int, kind: str, content: Mapping[str, Any]) -> Note:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return Note(session=session.id, number=number, kind=kind, content=text)
