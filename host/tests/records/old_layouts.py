"""Takes a store back to what an earlier version of mesogun would have left."""

from sqlalchemy import Connection, select, text, update

from mesogun.records import Seal, Session, chain, tables
from mesogun.records.database import Database
from mesogun.records.material import load
from mesogun.records.rows import read

_STATEMENTS = (
    "drop table notes",
    "alter table seals drop column note_count",
    "alter table seals drop column note_head",
    "alter table seals drop column gun_next",
    "alter table seals drop column gun_digest",
    "alter table seals drop column form",
    "alter table sessions drop column patient_salt",
    "alter table sessions drop column patient_digest",
    "drop index records_by_session",
    "drop index sessions_by_time",
    "alter table records drop column session_id",
    "update mesogun_store set version = 1",
)


def back_to_layout_1(database: Database) -> None:
    """Seal every session as layout 1 did, then take away what later layouts have added."""
    with database.write() as db:
        for session in read(db, Session, select(tables.sessions)):
            _seal_again(db, session)
        for statement in _STATEMENTS:
            db.execute(text(statement))


def overwrite_seal(db: Connection, seal: Seal) -> None:
    """Store a seal in place of the one that has its number."""
    row = tables.seals.c
    db.execute(
        update(tables.seals)
        .where(row.session == seal.session, row.number == seal.number)
        .values(chain.columns(seal))
    )


def _seal_again(db: Connection, session: Session) -> None:
    seals = load(db, session).seals
    for number, seal in enumerate(seals):
        seal.form = 1
        seal.seal = chain.seal_digest(session, seal, seals[:number])
        overwrite_seal(db, seal)
