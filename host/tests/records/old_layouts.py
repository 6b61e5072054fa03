"""Takes a store back to what an earlier version of mesogun would have left."""

from sqlalchemy import orm, select, text

from mesogun.records import Seal, Session, chain
from mesogun.records.database import Database

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
        for session in db.scalars(select(Session)):
            _seal_again(db, session)
        db.flush()
        for statement in _STATEMENTS:
            db.execute(text(statement))


def _seal_again(db: orm.Session, session: Session) -> None:
    seals = list(db.scalars(select(Seal).where(Seal.session == session.id).order_by(Seal.number)))
    for number, seal in enumerate(seals):
        seal.form = 1
        seal.seal = chain.seal_digest(session, seal, seals[:number])
