"""Proves that nothing of a session was changed or lost, or names what was.

Reads only what `Material` holds and changes nothing. What it can prove, and against whom, stands in
`chain`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mesogun.records import chain, privacy
from mesogun.records.gun_chain import Proof
from mesogun.records.material import Material
from mesogun.records.span import Row, SessionStatus
from mesogun.records.tables import SEAL_FORM
from mesogun.records.view import build
from mesogun_protocol.records import Record, RecordCorrupt, decode_record


class ProblemKind(StrEnum):
    """What is wrong with a stored session."""

    DAMAGED = "damaged"
    """A record cannot be decoded, or stands under a key that is not its own."""
    ALTERED = "altered"
    """Records are not the ones that were sealed."""
    REMOVED = "removed"
    """Records or seals that were there are gone."""
    GAP = "gap"
    """Sequence numbers are missing within the session."""
    SESSION = "session"
    """The session's row or a seal was changed after it was made."""
    CONFLICT = "conflict"
    """A gun has sent two different records under one key."""
    TOTALS = "totals"
    """SESSION_END and the results do not agree."""
    MISMATCH = "mismatch"
    """The gun recorded another program or syringe than the host, or started twice."""
    GUN_HASH = "gun-hash"
    """The gun's own running hash of its journal does not fit the records."""
    UNSEALED = "unsealed"
    """Records came in after the last seal; nothing protects them yet."""


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        kind: for programs.
        sequence: the record's number, None if no single record is meant.
        text: for people.
    """

    kind: ProblemKind
    sequence: int | None
    text: str


@dataclass(frozen=True)
class VerifyReport:
    """What the verification of one session found.

    Attributes:
        patient_erased: there was a patient reference and it was erased, which is no problem.
    """

    session: str
    status: SessionStatus
    record_count: int
    record_hash: str
    patient_erased: bool
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(material: Material, proof: Proof) -> VerifyReport:
    """Return everything that is wrong with the session.

    Args:
        material: what is stored of it.
        proof: how its records and those around it compare with the gun's running hash.
    """
    span = material.span
    damaged = [*damaged_records(material), *_damaged(material.prepared)]
    problems = [*damaged, *seal_problems(material), *_unsealed(material), *_span_problems(material)]
    problems += _gun_hash_problems(material, proof)
    if span.rows and not damaged:
        problems += _content_problems(material)
    return VerifyReport(
        session=material.session.id,
        status=span.status,
        record_count=len(span.rows),
        record_hash=material.heads[-1],
        patient_erased=material.session.patient_erased,
        problems=tuple(problems),
    )


def _gun_hash_problems(material: Material, proof: Proof) -> Iterator[Problem]:
    rows = material.span.rows
    for each in proof.breaks:
        if each.first <= rows[-1].sequence and rows[0].sequence <= each.last:
            yield Problem(
                ProblemKind.GUN_HASH,
                each.first,
                f"The gun's own hash does not fit {each}: at least one was changed, removed or put "
                "in after the gun wrote it.",
            )


def damaged_records(material: Material) -> list[Problem]:
    """Return the session's records that are not what a gun writes."""
    return _damaged(material.span.rows)


def _damaged(rows: Iterable[Row]) -> list[Problem]:
    found = [_row_problem(row) for row in rows]
    return [problem for problem in found if problem is not None]


def _row_problem(row: Row) -> Problem | None:
    try:
        record = decode_record(row.raw)
    except RecordCorrupt as error:
        return Problem(
            ProblemKind.DAMAGED, row.sequence, f"Record {row.sequence} is damaged: {error}."
        )
    key = (record.boot_id, record.sequence, record.kind)
    if key == row[:3]:
        return None
    return Problem(
        ProblemKind.DAMAGED,
        row.sequence,
        f"Record {row.sequence} stands under boot, number and kind {row[:3]}, its bytes say "
        f"{(record.boot_id, record.sequence, int(record.kind))}.",
    )


def seal_problems(material: Material) -> Iterator[Problem]:
    """Yield where session, seals and the records under them do not fit together."""
    if not material.seals:
        yield Problem(ProblemKind.REMOVED, None, "The session's seals are gone.")
    renewed = any(seal.form == SEAL_FORM for seal in material.seals)
    for expected, seal in enumerate(material.seals):
        if seal.number != expected:
            yield Problem(ProblemKind.REMOVED, None, f"Seal {expected} is gone.")
        if renewed and seal.form == 1 and material.session.patient_erased:
            continue  # it covered the reference; a seal that follows covers it in turn
        if chain.seal_digest(material.session, seal, material.seals[:expected]) != seal.seal:
            yield Problem(
                ProblemKind.SESSION,
                None,
                f"Seal {seal.number} does not fit: the session's row or this seal was changed.",
            )
    if renewed and not privacy.fits(material.session):
        yield Problem(
            ProblemKind.SESSION,
            None,
            "The patient reference is not the one that was sealed.",
        )
    yield from _count_problems(material)
    yield from _head_problems(material)
    yield from _note_problems(material)


def _count_problems(material: Material) -> Iterator[Problem]:
    stored = len(material.span.rows)
    if stored < material.sealed_count:
        last = f" up to record {material.span.rows[-1].sequence}" if material.span.rows else ""
        yield Problem(
            ProblemKind.REMOVED,
            None,
            f"{material.sealed_count} records were sealed, {stored} are stored{last}.",
        )


def _head_problems(material: Material) -> Iterator[Problem]:
    """Yield the first stretch of records between two seals whose chain is not the sealed one."""
    good = 0
    rows = material.span.rows
    for seal in material.seals:
        if seal.record_count >= len(material.heads):
            return
        if material.heads[seal.record_count] == seal.head_hash:
            good = seal.record_count
            continue
        stretch = rows[good : seal.record_count]
        where = (
            f"Records {stretch[0].sequence} to {stretch[-1].sequence} are not the ones that were "
            "sealed: at least one was changed, removed or put in"
            if stretch
            else "The plan in the session's row is not the one that was sealed"
        )
        yield Problem(ProblemKind.ALTERED, stretch[0].sequence if stretch else None, f"{where}.")
        return


def _note_problems(material: Material) -> Iterator[Problem]:
    """Yield where the notes are not the ones that were sealed; each is sealed as it is written."""
    stored = len(material.notes)
    sealed = max((seal.note_count or 0 for seal in material.seals), default=0)
    if stored < sealed:
        yield Problem(
            ProblemKind.REMOVED, None, f"{sealed} notes were sealed, {stored} are stored."
        )
    elif stored > sealed:
        yield Problem(
            ProblemKind.ALTERED,
            None,
            f"{stored - sealed} notes were put in that are under no seal.",
        )
    for seal in material.seals:
        count = seal.note_count or 0
        if count and count <= stored and material.note_heads[count] != seal.note_head:
            yield Problem(
                ProblemKind.ALTERED,
                None,
                f"Notes 0 to {count - 1} are not the ones that were sealed: at least one was "
                "changed, removed or put in.",
            )
            return


def _unsealed(material: Material) -> Iterator[Problem]:
    span, count = material.span, len(material.span.rows)
    if not material.seals or count < material.sealed_count:
        return
    if count > material.sealed_count:
        first = span.rows[material.sealed_count].sequence
        yield Problem(
            ProblemKind.UNSEALED,
            first,
            f"{count - material.sealed_count} records from {first} on are under no seal; "
            "`mesogun sessions sync` seals them.",
        )
    elif material.seals[-1].status != span.status:
        sealed = material.seals[-1].status
        grown = sealed == SessionStatus.OPEN and span.is_closed
        yield Problem(
            ProblemKind.UNSEALED if grown else ProblemKind.REMOVED,
            None,
            f"The session was sealed as {sealed}, the stored records say {span.status}; "
            + ("`mesogun sessions sync` seals it." if grown else "what closed it is gone."),
        )


def _span_problems(material: Material) -> Iterator[Problem]:
    span = material.span
    for gap in material.gaps:
        yield Problem(ProblemKind.GAP, gap.first, f"Record {gap} is missing.")
    for sequence in span.repeated_starts:
        yield Problem(
            ProblemKind.MISMATCH,
            sequence,
            f"Record {sequence} starts the session again; what follows it is not in this session.",
        )
    if not span.rows:
        for sequence in span.unreadable_starts:
            yield Problem(
                ProblemKind.DAMAGED,
                sequence,
                f"Record {sequence} is damaged and may be this session's start.",
            )
    for key in material.conflicts:
        yield Problem(
            ProblemKind.CONFLICT,
            key.sequence,
            f"Record {key.sequence} has come twice with different bytes; the first is kept.",
        )


def _content_problems(material: Material) -> Iterator[Problem]:
    """Yield where sound records contradict each other or the session's row."""
    records = material.decoded()
    record = build(material, records)
    if record.totals_mismatch and record.end:
        yield Problem(ProblemKind.TOTALS, record.end.sequence, f"{record.totals_mismatch}.")
    session = material.session
    pairs = [
        ("program CRC", records[0], "program_crc", session.program_crc),
        ("number of shots", records[0], "shots", session.shots_planned),
    ]
    if record.end:
        pairs.append(("session's number", records[-1], "session_id", session.session_id))
    if material.syringe:
        damage = _row_problem(material.syringe)
        if damage:
            yield damage
        else:
            syringe = decode_record(material.syringe.raw)
            pairs.append(("volume of a step in pl", syringe, "pl_per_step", session.pl_per_step))
    yield from _differences(pairs)


def _differences(pairs: Iterable[tuple[str, Record, str, int]]) -> Iterator[Problem]:
    for what, record, field, expected in pairs:
        if record.body[field] != expected:
            yield Problem(
                ProblemKind.MISMATCH,
                record.sequence,
                f"Record {record.sequence} ({record.kind.name}) gives the {what} as "
                f"{record.body[field]}, the session's row as {expected}.",
            )
