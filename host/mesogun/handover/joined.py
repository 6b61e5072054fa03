"""Puts the sessions of one visit together, so that a report tells of them as of one."""

from collections.abc import Sequence
from dataclasses import replace

from mesogun.catalog import get_syringe
from mesogun.errors import MesogunError
from mesogun.handover.origin import program_of
from mesogun.program import compile_steps, shot_count, volumes
from mesogun.records import Session, SessionRecord, SessionStatus, Shot, VerifyReport
from mesogun.records.view import EndTotals
from mesogun.records.visit import CONTINUES
from mesogun_protocol.enums import EndReason
from mesogun_protocol.records import STEP_NONE

Proven = tuple[SessionRecord, VerifyReport]
"""A session, and what its verification has found."""


def joined(sessions: Sequence[Proven]) -> Proven:
    """Return the sessions of a visit as one: shots and steps counted over all of its syringes.

    What never started gave nothing: of such a session the notes are there, and what its
    verification found.

    Args:
        sessions: in their order, all of one start of one gun.
    """
    verified = [each for _record, each in sessions]
    every = [record for record, _verified in sessions]
    records = started(every) or every[:1]
    first, last = records[0], records[-1]
    record = replace(
        last,
        session=_session(records),
        status=next((each.status for each in records if each.end is None), last.status),
        shots=_shots(records),
        primes=tuple(_placed(each, _first_step(r)) for r in records for each in r.primes),
        faults=tuple(each for r in records for each in r.faults),
        states=tuple(each for r in records for each in r.states),
        started_ms=first.started_ms,
        end=_end(records),
        gaps=tuple(each for r in records for each in r.gaps),
        record_count=sum(each.record_count for each in records),
        clock=first.clock,
        notes=tuple(each for r in every for each in r.notes),
    )
    return record, replace(
        verified[-1],
        session=" ".join(each.session for each in verified),
        status=record.status,
        record_count=record.record_count,
        problems=tuple(problem for each in verified for problem in each.problems),
    )


def started(records: Sequence[SessionRecord]) -> list[SessionRecord]:
    """Return the sessions of which there is a record of the start."""
    return [each for each in records if each.status is not SessionStatus.PLANNED]


def is_cut_short(records: Sequence[SessionRecord]) -> bool:
    """Whether a visit ended before all of its program was given, its record being whole or not.

    Each of its sessions may have come to its own end: it ended where a syringe was to be changed.

    Args:
        records: of its sessions, in their order.
    """
    *_sooner, last = started(records) or records
    if last.end is None or last.end.reason is not EndReason.COMPLETE:
        return last.end is not None
    shots, volume_nl = _left_before(last)
    return shots > last.session.shots_planned or volume_nl > last.session.volume_planned_nl


def _left_before(record: SessionRecord) -> tuple[int, int]:
    """Shots and volume, nl, of the program that were left when a session was prepared."""
    for note in record.notes:
        if note.kind == CONTINUES:
            return note.fields.get("shots_left", 0), note.fields.get("volume_left_nl", 0)
    return _planned(record.session)


def _planned(session: Session) -> tuple[int, int]:
    """Shots and volume, nl, of the program of a session; of the session if it cannot be read."""
    program = program_of(session)
    if program is not None:
        try:
            steps = compile_steps(program, get_syringe(program.syringe))
            return shot_count(steps), volumes(steps).volume_nl
        except MesogunError:
            # Of a catalog that has changed since: what the syringe was to give is known.
            pass
    return session.shots_planned, session.volume_planned_nl


def _session(records: Sequence[SessionRecord]) -> Session:
    """The first session, with what the whole visit was to give."""
    first = records[0].session
    shots, volume_nl = _planned(first)
    return replace(first, shots_planned=shots, volume_planned_nl=volume_nl)


def _shots(records: Sequence[SessionRecord]) -> tuple[Shot, ...]:
    found: list[Shot] = []
    begun = 0
    for record in records:
        first_step = _first_step(record)
        found += [
            replace(_placed(shot, first_step), shot=begun + shot.shot) for shot in record.shots
        ]
        # One that was withdrawn is begun by the next syringe, under its number.
        numbers = [shot.shot for shot in record.shots if shot.end_reason is not EndReason.CANCELLED]
        begun += max(numbers, default=-1) + 1
    return tuple(found)


def _placed(shot: Shot, first_step: int) -> Shot:
    """The shot with its step counted in the program, not in the part that a syringe gave."""
    return shot if shot.step == STEP_NONE else replace(shot, step=shot.step + first_step)


def _first_step(record: SessionRecord) -> int:
    """Which step of the program the session's first one is, from 0."""
    told = (note.fields.get("first_step") for note in record.notes if note.kind == CONTINUES)
    return next((step for step in told if step is not None), 0)


def _end(records: Sequence[SessionRecord]) -> EndTotals | None:
    ends = [record.end for record in records if record.end is not None]
    if len(ends) < len(records):
        return None
    return replace(
        ends[-1],
        shots=sum(each.shots for each in ends),
        delivered_steps=sum(each.delivered_steps for each in ends),
    )
