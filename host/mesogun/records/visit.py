"""Finds the sessions of one visit: one a syringe, each with a note of what it goes on from."""

from collections import defaultdict

from sqlalchemy import Connection, select

from mesogun.records import tables
from mesogun.records.rows import read
from mesogun.records.tables import Note, Session

CONTINUES = "continues"
"""Kind of the note that names the session before."""


def sessions_of_visit(db: Connection, session: Session) -> list[Session]:
    """Return the sessions of the visit that `session` belongs to, the first one first.

    One that was made ready to go on and never started is among them: its needle may be primed.
    """
    query = (
        select(tables.notes)
        .join(tables.sessions)
        .where(
            tables.notes.c.kind == CONTINUES,
            tables.sessions.c.board_id == session.board_id,
            # One program runs a visit, on a gun that has not started anew.
            tables.sessions.c.boot_id == session.boot_id,
        )
    )
    before: dict[str, str] = {}
    after: defaultdict[str, list[str]] = defaultdict(list)
    for note in read(db, Note, query):
        if sooner := note.fields.get("session"):
            before[note.session] = sooner
            after[sooner].append(note.session)
    first = session.id
    seen = {first}
    while (sooner := before.get(first)) and sooner not in seen:
        seen.add(first := sooner)
    return list(_from(db, first, after))


def _session(db: Connection, name: str) -> Session | None:
    query = select(tables.sessions).where(tables.sessions.c.id == name)
    return next(iter(read(db, Session, query)), None)


def _from(db: Connection, first: str, after: dict[str, list[str]]) -> list[Session]:
    """Follow the notes; whatever somebody may have written into them, no session comes twice."""
    found: dict[str, Session] = {}
    waiting = [first]
    while waiting:
        session = _session(db, waiting.pop())
        if session is not None and session.id not in found:
            found[session.id] = session
            waiting += after.get(session.id, [])
    return sorted(found.values(), key=lambda each: each.created_at)
