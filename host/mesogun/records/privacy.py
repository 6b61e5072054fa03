"""The patient reference: what stands for it under the seals, and how it is erased.

The seals cover `patient_digest`, the SHA-256 of a random salt and the reference. As long as both
are there, they must give that digest. When they are erased, the digest stays and the seals hold;
without the salt nobody can find out by trying which reference it was made of.
"""

import hashlib
import secrets

from sqlalchemy import Connection, update

from mesogun.records import tables
from mesogun.records.tables import Session

_SALT_BYTES = 32


def commit(db: Connection, session: Session) -> None:
    """Give a session with a reference its salt and digest, unless it has them."""
    if session.patient_ref is not None and session.patient_digest is None:
        session.patient_salt = salt = secrets.token_hex(_SALT_BYTES)
        session.patient_digest = _digest(salt, session.patient_ref)
        _store(db, session)


def erase(db: Connection, session: Session) -> None:
    """Forget reference and salt of a session that has a digest."""
    session.patient_ref = session.patient_salt = None
    _store(db, session)


def fits(session: Session) -> bool:
    """Tell whether the reference is the one that the digest was made of, or is erased whole."""
    if session.patient_ref is None or session.patient_salt is None:
        return session.patient_ref is None and session.patient_salt is None
    return session.patient_digest == _digest(session.patient_salt, session.patient_ref)


def _store(db: Connection, session: Session) -> None:
    db.execute(
        update(tables.sessions)
        .where(tables.sessions.c.id == session.id)
        .values(
            patient_ref=session.patient_ref,
            patient_salt=session.patient_salt,
            patient_digest=session.patient_digest,
        )
    )


def _digest(salt: str, reference: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + reference.encode()).hexdigest()
