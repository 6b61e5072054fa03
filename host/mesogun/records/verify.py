"""Proves that nothing of a session was changed or lost, or names what was.

Reads only what `Material` holds and changes nothing. What it can prove, and against whom, stands in
`chain`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mesogun.records import chain, privacy
from mesogun.records.gun_chain import Break, Proof
from mesogun.records.material import Material
from mesogun.records.span import Row, SessionStatus, in_words
from mesogun.records.tables import SEAL_FORM
from mesogun.records.view import build
from mesogun.words import N_, Message
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


_KINDS: Final = (
    *(N_("damaged"), N_("altered"), N_("removed"), N_("gap"), N_("session"), N_("conflict")),
    *(N_("totals"), N_("mismatch"), N_("gun-hash"), N_("unsealed")),
)
"""What the kinds are called, for the catalogues."""


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        kind: for programs.
        sequence: the record's number, None if no single record is meant.
        what: for people, in their language.
    """

    kind: ProblemKind
    sequence: int | None
    what: Message

    @property
    def text(self) -> str:
        """The same in English, for programs."""
        return self.what.english


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
                unlike_gun(each),
            )


def unlike_gun(found: Break) -> Message:
    """What it means that records do not lead from one hash of the gun to the next."""
    missing = {"gone": ", ".join(map(str, found.missing))} if found.missing else {}
    template = (
        N_(
            "The gun's own hash does not fit records {first} to {last}, of which {gone} are not "
            "stored: at least one was changed, removed or put in after the gun wrote it."
        )
        if missing
        else N_(
            "The gun's own hash does not fit records {first} to {last}: at least one was changed, "
            "removed or put in after the gun wrote it."
        )
    )
    return Message(template, {"first": found.first, "last": found.last, **missing})


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
        what = Message(
            N_("Record {record} is damaged: {error}."), {"record": row.sequence, "error": error}
        )
        return Problem(ProblemKind.DAMAGED, row.sequence, what)
    key = (record.boot_id, record.sequence, record.kind)
    if key == row[:3]:
        return None
    return Problem(
        ProblemKind.DAMAGED,
        row.sequence,
        Message(
            N_("Record {record} stands under boot, number and kind {key}, its bytes say {told}."),
            {
                "record": row.sequence,
                "key": row[:3],
                "told": (record.boot_id, record.sequence, int(record.kind)),
            },
        ),
    )


def seal_problems(material: Material) -> Iterator[Problem]:
    """Yield where session, seals and the records under them do not fit together."""
    if not material.seals:
        yield Problem(ProblemKind.REMOVED, None, Message(N_("The session's seals are gone.")))
    renewed = any(seal.form == SEAL_FORM for seal in material.seals)
    for expected, seal in enumerate(material.seals):
        if seal.number != expected:
            gone = Message(N_("Seal {seal} is gone."), {"seal": expected})
            yield Problem(ProblemKind.REMOVED, None, gone)
        if renewed and seal.form == 1 and material.session.patient_erased:
            continue  # it covered the reference; a seal that follows covers it in turn
        if chain.seal_digest(material.session, seal, material.seals[:expected]) != seal.seal:
            yield Problem(
                ProblemKind.SESSION,
                None,
                Message(
                    N_("Seal {seal} does not fit: the session's row or this seal was changed."),
                    {"seal": seal.number},
                ),
            )
    if renewed and not privacy.fits(material.session):
        yield Problem(
            ProblemKind.SESSION,
            None,
            Message(N_("The patient reference is not the one that was sealed.")),
        )
    yield from _count_problems(material)
    yield from _head_problems(material)
    yield from _note_problems(material)


def _count_problems(material: Material) -> Iterator[Problem]:
    stored = len(material.span.rows)
    if stored < material.sealed_count:
        figures = {"sealed": material.sealed_count, "stored": stored}
        what = Message(N_("{sealed} records were sealed, {stored} are stored."), figures)
        if material.span.rows:
            what = Message(
                N_("{sealed} records were sealed, {stored} are stored up to record {last}."),
                figures | {"last": material.span.rows[-1].sequence},
            )
        yield Problem(ProblemKind.REMOVED, None, what)


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
        if stretch:
            what = Message(
                N_(
                    "Records {first} to {last} are not the ones that were sealed: at least one was "
                    "changed, removed or put in."
                ),
                {"first": stretch[0].sequence, "last": stretch[-1].sequence},
            )
        else:
            what = Message(N_("The plan in the session's row is not the one that was sealed."))
        yield Problem(ProblemKind.ALTERED, stretch[0].sequence if stretch else None, what)
        return


def _note_problems(material: Material) -> Iterator[Problem]:
    """Yield where the notes are not the ones that were sealed; each is sealed as it is written."""
    stored = len(material.notes)
    sealed = max((seal.note_count or 0 for seal in material.seals), default=0)
    if stored < sealed:
        what = Message(
            N_("{sealed} notes were sealed, {stored} are stored."),
            {"sealed": sealed, "stored": stored},
        )
        yield Problem(ProblemKind.REMOVED, None, what)
    elif stored > sealed:
        yield Problem(
            ProblemKind.ALTERED,
            None,
            Message(
                N_("{count} notes were put in that are under no seal."), {"count": stored - sealed}
            ),
        )
    for seal in material.seals:
        count = seal.note_count or 0
        if count and count <= stored and material.note_heads[count] != seal.note_head:
            yield Problem(
                ProblemKind.ALTERED,
                None,
                Message(
                    N_(
                        "Notes 0 to {last} are not the ones that were sealed: at least one was "
                        "changed, removed or put in."
                    ),
                    {"last": count - 1},
                ),
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
            Message(
                N_(
                    "{count} records from {first} on are under no seal; `mesogun sessions sync` "
                    "seals them."
                ),
                {"count": count - material.sealed_count, "first": first},
            ),
        )
    elif material.seals[-1].status != span.status:
        sealed = material.seals[-1].status
        grown = sealed == SessionStatus.OPEN and span.is_closed
        yield Problem(
            ProblemKind.UNSEALED if grown else ProblemKind.REMOVED,
            None,
            Message(
                N_(
                    "The session was sealed as {sealed}, the stored records say {stored}; `mesogun "
                    "sessions sync` seals it."
                )
                if grown
                else N_(
                    "The session was sealed as {sealed}, the stored records say {stored}; what "
                    "closed it is gone."
                ),
                {"sealed": in_words(sealed), "stored": in_words(span.status)},
            ),
        )


def _span_problems(material: Material) -> Iterator[Problem]:
    span = material.span
    for gap in material.gaps:
        what = Message(N_("Record {gap} is missing."), {"gap": gap.in_words})
        yield Problem(ProblemKind.GAP, gap.first, what)
    for sequence in span.repeated_starts:
        yield Problem(
            ProblemKind.MISMATCH,
            sequence,
            Message(
                N_(
                    "Record {record} starts the session again; what follows it is not in this "
                    "session."
                ),
                {"record": sequence},
            ),
        )
    if not span.rows:
        for sequence in span.unreadable_starts:
            yield Problem(
                ProblemKind.DAMAGED,
                sequence,
                Message(
                    N_("Record {record} is damaged and may be this session's start."),
                    {"record": sequence},
                ),
            )
    for key in material.conflicts:
        yield Problem(
            ProblemKind.CONFLICT,
            key.sequence,
            Message(
                N_("Record {record} has come twice with different bytes; the first is kept."),
                {"record": key.sequence},
            ),
        )


def _content_problems(material: Material) -> Iterator[Problem]:
    """Yield where sound records contradict each other or the session's row."""
    records = material.decoded()
    record = build(material, records)
    if record.totals_mismatch and record.end:
        what = Message("{what}.", {"what": record.totals_mismatch})
        yield Problem(ProblemKind.TOTALS, record.end.sequence, what)
    session = material.session
    pairs = [
        (N_("program CRC"), records[0], "program_crc", session.program_crc),
        (N_("number of shots"), records[0], "shots", session.shots_planned),
    ]
    if record.end:
        pairs.append((N_("session's number"), records[-1], "session_id", session.session_id))
    if material.syringe:
        damage = _row_problem(material.syringe)
        if damage:
            yield damage
        else:
            syringe = decode_record(material.syringe.raw)
            per_step = N_("volume of a step in pl")
            pairs.append((per_step, syringe, "pl_per_step", session.pl_per_step))
    yield from _differences(pairs)


def _differences(pairs: Iterable[tuple[str, Record, str, int]]) -> Iterator[Problem]:
    for what, record, field, expected in pairs:
        if record.body[field] != expected:
            yield Problem(
                ProblemKind.MISMATCH,
                record.sequence,
                Message(
                    N_(
                        "Record {record} ({kind}) gives the {what} as {told}, the session's row as "
                        "{expected}."
                    ),
                    {
                        "record": record.sequence,
                        "kind": record.kind.name,
                        "what": Message(what),
                        "told": record.body[field],
                        "expected": expected,
                    },
                ),
            )
