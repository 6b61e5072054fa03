"""Reads a session's records: its shots, faults and totals, and whether the record is complete.

Steps are what the gun witnessed; a volume is steps times the syringe's picolitres a step, exact,
and rounded half up only where it is shown in nanolitres. Where a shot has no result the most it can
have delivered is told beside what is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mesogun.records.clock import ClockMapping
from mesogun.records.material import Material
from mesogun.records.span import Gap, SessionStatus, in_words
from mesogun.records.tables import Note, Session
from mesogun.words import N_, Message
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    Fault,
    RecordKind,
    StepKind,
)
from mesogun_protocol.records import Record

PRIMED = "prime"
"""Kind of the note that tells what a prime pushed out."""
_KINDS = {StepKind.SHOTS: N_("shot"), StepKind.FLOW: N_("flow"), StepKind.PRIME: N_("prime")}
_CLOCK_TURN_MS = 1 << 32
_PUSHED = ("dose_steps", "advance_steps", "early_steps")
_OF_A_SHOT = (RecordKind.SHOT_INTENT, RecordKind.SHOT_PROGRESS, RecordKind.SHOT_RESULT)


def round_nl(volume_pl: int) -> int:
    """Return picolitres as whole nanolitres, a half rounded up."""
    return (volume_pl + 500) // 1000


@dataclass(frozen=True)
class Shot:
    """One shot, flow or prime, from its intent, what it told of its progress, and its result.

    Attributes:
        shot: number in the session from 0; primes have numbers of their own.
        step: step of the program.
        purpose: SHOTS, FLOW or PRIME.
        sequence: number of the intent, or of the result if the intent is missing.
        dose_steps: forward steps that were to deliver, None if the intent is missing.
        advance_steps: forward steps that only take up an earlier retraction, 0 if it is missing.
        early_steps: forward steps before the dose that are taken back after it, 0 if it is missing.
        retract_steps: backward steps after it that stay pulled back, 0 if it is missing.
        start_ms: device clock when it began, to a few milliseconds; for a shot without a result, or
            one that was withdrawn, when its intent was written. None if neither is known.
        forward_steps: witnessed: by the result, or else by the last progress, of which the gun
            writes one every few seconds; None without either.
        bound_steps: most forward steps that were made: those of the result; without one, what the
            last progress allowed; without that, the planned ones. None without any of them.
        backward_steps: witnessed, None without a result; so are the next three.
        motion_ms: from the first possible step to the end.
        pressure_kpa: highest at the plunger while it moved.
        end_reason: how it ended.
        uncertain: there is no result and none can come: the session is over.
        pl_per_step: volume of one step, pl.
    """

    shot: int
    step: int
    purpose: StepKind
    sequence: int
    dose_steps: int | None
    advance_steps: int
    early_steps: int
    retract_steps: int
    start_ms: int | None
    forward_steps: int | None
    bound_steps: int | None
    backward_steps: int | None
    motion_ms: int | None
    pressure_kpa: int | None
    end_reason: EndReason | None
    uncertain: bool
    pl_per_step: int

    @property
    def delivered_steps(self) -> int:
        """Witnessed forward steps beyond those that took up a retraction, 0 if unknown.

        What was pushed early and not taken back counts: it leaves the needle by itself.
        """
        return self._delivering(self.forward_steps)

    def _delivering(self, forward_steps: int | None) -> int:
        taken_back = min(self.backward_steps or 0, self.early_steps)
        return max((forward_steps or 0) - self.advance_steps - taken_back, 0)

    @property
    def upper_bound_steps(self) -> int:
        """Most steps that deliver, and were made."""
        return self._delivering(self.bound_steps)

    @property
    def is_complete(self) -> bool:
        """Whether the gun carried it out to the end."""
        return self.end_reason is EndReason.COMPLETE

    @property
    def planned_nl(self) -> int | None:
        """Planned dose in whole steps, nl, rounded half up."""
        return None if self.dose_steps is None else round_nl(self.dose_steps * self.pl_per_step)

    @property
    def delivered_nl(self) -> int:
        """Witnessed dose, nl, rounded half up."""
        return round_nl(self.delivered_steps * self.pl_per_step)

    @property
    def upper_bound_nl(self) -> int:
        """Most that was delivered, nl, rounded half up."""
        return round_nl(self.upper_bound_steps * self.pl_per_step)


@dataclass(frozen=True)
class FaultEntry:
    """A fault as it was recorded; `forward_steps` is the witness since boot."""

    sequence: int
    time_ms: int
    fault: Fault
    detail: int
    forward_steps: int


@dataclass(frozen=True)
class StateEntry:
    """A change of the controller's state."""

    sequence: int
    time_ms: int
    state: ControllerState
    previous: ControllerState


@dataclass(frozen=True)
class EndTotals:
    """What SESSION_END says of the session.

    Attributes:
        shots: complete shots, primes not counted.
        delivered_steps: witnessed dose steps, primes not counted.
    """

    sequence: int
    session_id: int
    shots: int
    delivered_steps: int
    reason: EndReason


@dataclass(frozen=True)
class SessionRecord:
    """A session as its records tell it.

    Attributes:
        session: what the host knew before.
        status: planned, open, interrupted or ended.
        shots: shots and flows, in the order in which they began.
        primes: counted apart; those from the syringe's declaration on, so before the start too.
        started_ms: device clock at SESSION_START, None if it is not stored.
        last_ms: device clock of the last record of the session.
        end: what SESSION_END says, None if it is not stored.
        gaps: sequence numbers that are missing; one directly before a boot may be a record that was
            torn by a power cut, which is a gap all the same.
        record_hash: head of the hash chain, hexadecimal (`chain`).
        seal: the last seal, hexadecimal.
        clock: device clock to wall time, None if the host never found out.
        notes: what people told or confirmed, in the order in which it was written down.
    """

    session: Session
    status: SessionStatus
    shots: tuple[Shot, ...]
    primes: tuple[Shot, ...]
    faults: tuple[FaultEntry, ...]
    states: tuple[StateEntry, ...]
    started_ms: int | None
    last_ms: int | None
    end: EndTotals | None
    gaps: tuple[Gap, ...]
    record_count: int
    record_hash: str
    seal: str
    clock: ClockMapping | None
    notes: tuple[Note, ...]

    @cached_property
    def shots_delivered(self) -> int:
        """Complete shots and flows."""
        return sum(shot.is_complete for shot in self.shots)

    @cached_property
    def delivered_steps(self) -> int:
        """Witnessed dose steps, primes not counted."""
        return sum(shot.delivered_steps for shot in self.shots)

    @property
    def volume_nl(self) -> int:
        """Witnessed dose, primes not counted: the exact sum, nl, rounded half up once."""
        return round_nl(self.delivered_steps * self.session.pl_per_step)

    @property
    def upper_bound_nl(self) -> int:
        """Most that was delivered, primes not counted, nl, rounded half up once."""
        steps = sum(shot.upper_bound_steps for shot in self.shots)
        return round_nl(steps * self.session.pl_per_step)

    @property
    def prime_nl(self) -> int:
        """Witnessed volume of the primes, nl, rounded half up once.

        Records tell which session they belong to by its start. Of one that never started the notes
        tell what the gun had counted when its needle was primed.
        """
        if self.status is SessionStatus.PLANNED:
            told = (note.fields.get("volume_nl") for note in self.notes if note.kind == PRIMED)
            return sum(volume_nl for volume_nl in told if isinstance(volume_nl, int))
        steps = sum(prime.delivered_steps for prime in self.primes)
        return round_nl(steps * self.session.pl_per_step)

    @property
    def uncertain_shots(self) -> int:
        """Shots, flows and primes that have an intent, no result, and will get none."""
        return sum(shot.uncertain for shot in (*self.shots, *self.primes))

    @property
    def duration_s(self) -> float | None:
        """From SESSION_START to the last record by the device clock, s; None if not started."""
        if self.started_ms is None or self.last_ms is None:
            return None
        return self.since_start_s(self.last_ms)

    def since_start_s(self, time_ms: int) -> float:
        """Return a time of the device clock as seconds since SESSION_START, 0 if not started.

        What came before the start, such as a prime, is below zero.
        """
        if self.started_ms is None:
            return 0.0
        half = _CLOCK_TURN_MS // 2
        return ((time_ms - self.started_ms + half) % _CLOCK_TURN_MS - half) / 1000

    @cached_property
    def totals_mismatch(self) -> Message | None:
        """How SESSION_END's totals differ from the sum of the results, None if they agree.

        The gun knew what became of a shot whose result it could not write; the sum does not.
        """
        if self.end is None:
            return None
        told = (self.end.shots, self.end.delivered_steps)
        summed = (self.shots_delivered, self.delivered_steps)
        unknown = [shot for shot in self.shots if shot.uncertain]
        unknown_steps = sum(each.upper_bound_steps - each.delivered_steps for each in unknown)
        more = (told[0] - summed[0], told[1] - summed[1])
        if 0 <= more[0] <= len(unknown) and 0 <= more[1] <= unknown_steps:
            return None
        return Message(
            N_(
                "SESSION_END tells {shots} complete shots and {steps} dose steps, the results add "
                "up to {summed_shots} and {summed_steps}"
            ),
            {
                "shots": told[0],
                "steps": told[1],
                "summed_shots": summed[0],
                "summed_steps": summed[1],
            },
        )

    @cached_property
    def incomplete(self) -> tuple[Message, ...]:
        """Why the record is not complete; empty if it is."""
        every = (*self.shots, *self.primes)
        reasons = [
            Message(N_("record {gap} is missing"), {"gap": gap.in_words}) for gap in self.gaps
        ]
        if self.end is None:
            reasons.append(
                Message(
                    N_("the session is {status} and has no SESSION_END"),
                    {"status": in_words(self.status)},
                )
            )
        if self.totals_mismatch:
            reasons.append(self.totals_mismatch)
        reasons += [
            Message(N_("the {kind} {shot} of record {record} has no result"), _named(shot))
            for shot in every
            if shot.end_reason is None
        ]
        reasons += [
            Message(N_("the {kind} {shot} of record {record} has no intent"), _named(shot))
            for shot in every
            if shot.dose_steps is None
        ]
        return tuple(reasons)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: start, end, no gap, a result to each intent, totals agree."""
        return not self.incomplete


def _named(shot: Shot) -> Mapping[str, object]:
    return {"kind": Message(_KINDS[shot.purpose]), "shot": shot.shot, "record": shot.sequence}


def build(material: Material, records: Sequence[Record]) -> SessionRecord:
    """Return the session that `records`, the decoded ones of `material`, tell of."""
    span, session, gaps = material.span, material.session, material.gaps
    # A single record can be the one that a power cut tore, or that could not be written and so
    # ended the motion. More than one were there once.
    lost = max((gap.last for gap in gaps if gap.last > gap.first), default=-1)
    told = [*material.decoded_prepared(), *records]
    every = _shots(told, lost, span.is_closed, session.pl_per_step)
    last = material.seals[-1] if material.seals else None
    return SessionRecord(
        session=session,
        status=span.status,
        shots=tuple(shot for shot in every if shot.purpose is not StepKind.PRIME),
        primes=tuple(shot for shot in every if shot.purpose is StepKind.PRIME),
        faults=_faults(records),
        states=_states(records),
        started_ms=records[0].time_ms if records else None,
        last_ms=records[-1].time_ms if records else None,
        end=_end(records),
        gaps=gaps,
        record_count=len(records),
        record_hash=material.heads[-1],
        seal=last.seal if last else "",
        clock=material.clock,
        notes=material.notes,
    )


def _shots(
    records: Iterable[Record], lost: int, closed: bool, pl_per_step: int
) -> tuple[Shot, ...]:
    """Return shots, flows and primes in the order in which they began.

    Args:
        records: of one session, by sequence number.
        lost: number of a lost record before which no progress bounds a shot: it told of more.
        closed: no more records can follow, so that an intent without a result is uncertain.
        pl_per_step: volume of one step, pl.
    """
    found: list[dict[RecordKind, Record]] = []
    waiting: dict[tuple[bool, int], dict[RecordKind, Record]] = {}
    for record in records:
        kind = record.kind
        if kind not in _OF_A_SHOT:
            continue
        key = _shot_key(record)
        told = waiting.get(key)
        if told is None or kind is RecordKind.SHOT_INTENT:
            told = waiting[key] = {}
            found.append(told)
        told[kind] = record
        if kind is RecordKind.SHOT_RESULT:
            del waiting[key]
    return tuple(_shot(told, lost, closed, pl_per_step) for told in found)


def _shot_key(record: Record) -> tuple[bool, int]:
    return record.body["purpose"] is StepKind.PRIME, record.body["shot"]


def _shot(told: Mapping[RecordKind, Record], lost: int, closed: bool, pl_per_step: int) -> Shot:
    first = next(iter(told.values()))
    intent, progress, result = (told.get(kind) for kind in _OF_A_SHOT)
    plan = intent.body if intent else {}
    outcome = result.body if result else progress.body if progress else {}
    bound_steps = sum(plan[name] for name in _PUSHED) if intent else None
    if result:
        bound_steps = outcome["forward_steps"]
    elif progress and progress.sequence > lost:
        bound_steps = outcome["bound_steps"]
    return Shot(
        shot=first.body["shot"],
        step=first.step,
        purpose=first.body["purpose"],
        sequence=first.sequence,
        dose_steps=plan.get("dose_steps"),
        advance_steps=plan.get("advance_steps", 0),
        early_steps=plan.get("early_steps", 0),
        retract_steps=plan.get("retract_steps", 0),
        start_ms=_start_ms(intent, result),
        forward_steps=outcome.get("forward_steps"),
        bound_steps=bound_steps,
        backward_steps=outcome.get("backward_steps"),
        motion_ms=outcome.get("motion_ms"),
        pressure_kpa=outcome.get("pressure_kpa"),
        end_reason=outcome.get("reason"),
        uncertain=result is None and closed,
        pl_per_step=pl_per_step,
    )


def _start_ms(intent: Record | None, result: Record | None) -> int | None:
    # The intent of a queued shot is written up to a whole period before it begins; its result
    # follows the end of its motion at once.
    if result is not None and result.body["motion_ms"]:
        return result.time_ms - result.body["motion_ms"]
    return intent.time_ms if intent is not None else None


def _faults(records: Iterable[Record]) -> tuple[FaultEntry, ...]:
    """Return the faults among `records`."""
    return tuple(
        FaultEntry(sequence=r.sequence, time_ms=r.time_ms, **r.body)
        for r in records
        if r.kind is RecordKind.FAULT
    )


def _states(records: Iterable[Record]) -> tuple[StateEntry, ...]:
    """Return the state changes among `records`."""
    return tuple(
        StateEntry(sequence=r.sequence, time_ms=r.time_ms, **r.body)
        for r in records
        if r.kind is RecordKind.STATE
    )


def _end(records: Sequence[Record]) -> EndTotals | None:
    """Return what SESSION_END says, None if the last record is something else."""
    if not records or records[-1].kind is not RecordKind.SESSION_END:
        return None
    return EndTotals(sequence=records[-1].sequence, **records[-1].body)
