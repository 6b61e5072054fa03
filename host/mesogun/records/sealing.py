"""Seals what is stored of a session: once more for what came in, never over what was changed."""

from sqlalchemy import Connection

from mesogun.errors import RecordError
from mesogun.records import chain, privacy, tables
from mesogun.records.clock import ClockMapping
from mesogun.records.gun_chain import GunHash
from mesogun.records.material import Material
from mesogun.records.rows import add
from mesogun.records.span import SessionStatus
from mesogun.records.tables import SEAL_FORM, Seal, utc_now_text
from mesogun.records.verify import damaged_records, seal_problems
from mesogun.words import _


def require_sealable(material: Material, sealed: Material) -> None:
    """Refuse to seal `material` if what was `sealed` before does not stand, or more may come."""
    name = material.session.id
    problems = [*damaged_records(sealed), *seal_problems(sealed)]
    if problems:
        raise RecordError(
            _(
                "Session {session} is not sealed again, because what was sealed is not what is "
                "stored: {what} Run `mesogun sessions verify {session}`."
            ).format(session=name, what=problems[0].what)
        )
    if material.span.status is SessionStatus.OPEN and material.span.gaps:
        raise RecordError(
            _(
                "Session {session} is not sealed yet: record {gap} is missing and may still come. "
                "Run `mesogun sessions sync` first."
            ).format(session=name, gap=material.span.gaps[0])
        )


def add_seal(
    db: Connection,
    material: Material,
    clock: ClockMapping | None = None,
    gun_hash: GunHash | None = None,
) -> Seal:
    """Return the new seal of a session, or its last one if nothing is new.

    Args:
        db: where it is added.
        material: what is stored of the session.
        clock: device clock to host time; None keeps the one of the seal before.
        gun_hash: what the gun told last; left out where it does not cover the whole session.
    """
    last = material.seals[-1] if material.seals else None
    clock = clock or material.clock
    rows = material.span.rows
    if gun_hash and not (rows and rows[-1].sequence < gun_hash.next):
        gun_hash = None
    seal = Seal(
        session=material.session.id,
        number=len(material.seals),
        sealed_at=utc_now_text(),
        record_count=len(material.span.rows),
        head_hash=material.heads[-1],
        status=material.span.status,
        clock_epoch_s=clock.epoch_s if clock else None,
        clock_rate=clock.rate if clock else None,
        note_count=len(material.notes) or None,
        note_head=material.note_heads[-1] if material.notes else None,
        gun_next=gun_hash.next if gun_hash else None,
        gun_digest=gun_hash.digest if gun_hash else None,
    )
    if last and _content(last) == _content(seal):
        return last
    privacy.commit(db, material.session)
    seal.seal = chain.seal_digest(material.session, seal, material.seals)
    add(db, tables.seals, seal)
    return seal


def renew_seal(db: Connection, material: Material) -> None:
    """Seal what the last seal says once more if that one covers the reference itself.

    Where the seals do not fit already, none is added: that would hide it.
    """
    privacy.commit(db, material.session)
    if not material.seals or material.seals[-1].form == SEAL_FORM:
        return
    if any(seal_problems(material)):
        return
    last = chain.columns(material.seals[-1], "number", "sealed_at", "form", "seal")
    seal = Seal(**last, number=len(material.seals), sealed_at=utc_now_text())
    seal.seal = chain.seal_digest(material.session, seal, material.seals)
    add(db, tables.seals, seal)


def _content(seal: Seal) -> tuple[object, ...]:
    return (
        seal.form,
        seal.head_hash,
        seal.record_count,
        seal.status,
        seal.clock_epoch_s,
        seal.clock_rate,
        seal.note_head,
    )
