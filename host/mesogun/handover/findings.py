"""What a reader must know first: whether the record can be trusted, and what went otherwise."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from mesogun.handover.document import Notice, Part, Table, Text
from mesogun.handover.joined import is_cut_short, started
from mesogun.handover.pictures import begun, pauses
from mesogun.records import (
    ProblemKind,
    SessionRecord,
    SessionStatus,
    Shot,
    VerifyReport,
    pressure_drifts,
)
from mesogun.words import N_, _, duration, ngettext, volume
from mesogun.words.gun import end, fault_advice, fault_name, moved_pressure
from mesogun_protocol.enums import EndReason, StepKind

_ROWS: Final = 30
"""Most deviations of one kind that are listed one by one."""

VIRTUAL: Final = ("sim", "rp2040")
"""Kinds of guns that treat nobody."""

_STATUS: Final = {
    SessionStatus.PLANNED: N_("The gun has no record of a start."),
    SessionStatus.OPEN: N_("The session runs, or the rest of its record is still in the gun."),
    SessionStatus.INTERRUPTED: N_("The session broke off and was never ended."),
}

_PROBLEMS: Final = {
    ProblemKind.DAMAGED: N_("A record is damaged."),
    ProblemKind.ALTERED: N_("Records are not the ones that were sealed."),
    ProblemKind.REMOVED: N_("Records or seals that were there are gone."),
    ProblemKind.GAP: N_("Records are missing."),
    ProblemKind.SESSION: N_("The description of the session or a seal was changed afterwards."),
    ProblemKind.CONFLICT: N_("The gun has sent two different records under one number."),
    ProblemKind.TOTALS: N_("The totals of the gun and the sum of its shots differ."),
    ProblemKind.MISMATCH: N_("The gun recorded another program or syringe than this computer."),
    ProblemKind.UNSEALED: N_("Records came in that no seal protects yet."),
}


def warning(record: SessionRecord, verified: VerifyReport) -> str:
    """Return what must stand on every page, empty if nothing must."""
    if not record.complete:
        return _("INCOMPLETE RECORD")
    return "" if verified.ok else _("RECORD NOT VERIFIED")


def notices(
    record: SessionRecord, verified: VerifyReport, parts: Sequence[SessionRecord]
) -> Iterator[Notice]:
    """Yield what stands in the head of the report, the worst first.

    Args:
        record: of the whole visit.
        verified: what its verification has found.
        parts: the sessions of the visit: another needle has another pressure, so each is compared
            with itself.
    """
    if not record.complete:
        yield Notice(
            "bad",
            _("INCOMPLETE RECORD: more may have been delivered than is shown here."),
            [*_missing(record)],
        )
    if not verified.ok:
        yield Notice(
            "bad",
            _("RECORD NOT VERIFIED: do not rely on it before the reason is known."),
            _problems(verified),
        )
    if record.uncertain_shots:
        yield Notice(
            "bad",
            ngettext(
                "UNCERTAIN: the result of {count} dose is not known.",
                "UNCERTAIN: the results of {count} doses are not known.",
                record.uncertain_shots,
            ).format(count=record.uncertain_shots),
            [
                _("At least {low} and at most {high} were delivered.").format(
                    low=volume(record.volume_nl), high=volume(record.upper_bound_nl)
                )
            ],
        )
    for fault in dict.fromkeys(each.fault for each in record.faults):
        yield Notice("bad", _("ALARM: {fault}").format(fault=fault_name(fault)))
    for drift in (drift for part in parts for drift in pressure_drifts(part)):
        what, causes = moved_pressure(drift.first_kpa, drift.last_kpa)
        yield Notice("note", _("SUSPICIOUS PRESSURE: {what}.").format(what=what), [causes])
    if is_cut_short(parts):
        yield Notice(
            "note",
            _("ENDED EARLY: {done} of {planned} shots, {ended}.").format(
                done=record.shots_delivered,
                planned=record.session.shots_planned,
                ended=ended(parts),
            ),
        )
    yield from _never_started(parts)
    if record.session.gun_kind in VIRTUAL:
        yield Notice("note", _("VIRTUAL GUN: nobody was treated."))
    if record.complete and verified.ok:
        yield Notice("good", _("COMPLETE AND VERIFIED: nothing was changed, nothing is missing."))


def ended(parts: Sequence[SessionRecord]) -> str:
    """How a visit ended, in words."""
    last = (started(parts) or parts)[-1].end
    if last and last.reason is EndReason.COMPLETE and is_cut_short(parts):
        return _("no further syringe was given")
    return end(last.reason if last else None)


def _never_started(parts: Sequence[SessionRecord]) -> Iterator[Notice]:
    """Yield the sessions that were to go on with a visit; a single one says so in `_missing`."""
    for part in parts[1:]:
        if part.status is SessionStatus.PLANNED:
            yield Notice(
                "note",
                _(
                    "NOT STARTED: session {session} was made ready to go on; there is no record "
                    "of its start."
                ).format(session=part.session.id),
                [_("{volume} primed.").format(volume=volume(part.prime_nl))]
                if part.prime_nl
                else [],
            )


def _missing(record: SessionRecord) -> Iterator[str]:
    """Yield why the record is not complete."""
    if record.end is None:
        yield _(_STATUS[record.status]) if record.status in _STATUS else ""
    lost = sum(gap.last - gap.first + 1 for gap in record.gaps)
    if lost:
        yield ngettext(
            "{count} record of the gun is missing.", "{count} records of the gun are missing.", lost
        ).format(count=lost)
    if record.totals_mismatch:
        yield _(_PROBLEMS[ProblemKind.TOTALS])
    every = (*record.shots, *record.primes)
    if count := sum(shot.end_reason is None for shot in every):
        yield ngettext(
            "{count} dose was begun and has no result.",
            "{count} doses were begun and have no result.",
            count,
        ).format(count=count)
    if count := sum(shot.dose_steps is None for shot in every):
        yield ngettext(
            "{count} dose has a result and no plan.",
            "{count} doses have a result and no plan.",
            count,
        ).format(count=count)


def _problems(verified: VerifyReport) -> list[str]:
    kinds = Counter(problem.kind for problem in verified.problems)
    found = [
        _(_PROBLEMS[kind]) + (f" ({count})" if count > 1 else "") for kind, count in kinds.items()
    ]
    command = f"mesogun sessions verify {verified.session}"
    return [*found, _("{command} names each.").format(command=command)]


def deviations(record: SessionRecord, verified: VerifyReport) -> list[Part]:
    """Return alarms and whatever went otherwise than planned, in the order of time."""
    rows = sorted([*_faults(record), *_pauses(record), *_primes(record), *_amiss(record)])
    parts: list[Part] = []
    if rows:
        parts.append(
            Table(
                (_("at"), _("what"), _("what it means")),
                [(_when(at_s), what, meaning) for at_s, what, meaning in rows],
                right=(0,),
            )
        )
    elif record.complete and verified.ok:
        parts.append(Text(_("No alarm, no pause, and every shot was carried out to its end.")))
    else:
        parts.append(Text(_("The record tells of none, but it is not complete or not verified.")))
    withdrawn = len(record.shots) - len(begun(record))
    if withdrawn:
        parts.append(
            Text(
                ngettext(
                    "{count} shot was taken back from the queue before it began, as when the "
                    "trigger was released; nothing was delivered by it.",
                    "{count} shots were taken back from the queue before they began, as when the "
                    "trigger was released; nothing was delivered by them.",
                    withdrawn,
                ).format(count=withdrawn)
            )
        )
    return parts


_Row = tuple[float, str, str]


def _when(at_s: float) -> str:
    if at_s < 0:
        return _("{time} before the start").format(time=duration(-at_s))
    return duration(at_s)


def _faults(record: SessionRecord) -> Iterator[_Row]:
    for each in record.faults:
        yield (
            record.since_start_s(each.time_ms),
            _("ALARM: {fault}").format(fault=fault_name(each.fault)),
            fault_advice(each.fault),
        )


def _pauses(record: SessionRecord) -> Iterator[_Row]:
    for begin_s, end_s in pauses(record):
        yield begin_s, _("pause"), _("{time} long").format(time=duration(end_s - begin_s))


def _primes(record: SessionRecord) -> Iterator[_Row]:
    for prime in record.primes:
        at_s = record.since_start_s(prime.start_ms) if prime.start_ms is not None else 0.0
        yield at_s, _("prime"), _outcome(prime)


def _amiss(record: SessionRecord) -> Iterator[_Row]:
    """Yield the shots that were begun and not carried out to their end."""
    found = [shot for shot in begun(record) if not shot.is_complete]
    for shot in found[:_ROWS]:
        at_s = record.since_start_s(shot.start_ms) if shot.start_ms is not None else 0.0
        what = _("flow") if shot.purpose is StepKind.FLOW else _("shot {number}")
        yield at_s, what.format(number=shot.shot + 1), _outcome(shot)
    if len(found) > _ROWS:
        rest = len(found) - _ROWS
        yield (
            record.duration_s or 0.0,
            ngettext("{count} more shot", "{count} more shots", rest).format(count=rest),
            _("not carried out to the end either; the CSV export lists each"),
        )


def _outcome(shot: Shot) -> str:
    """How a shot, flow or prime ended, and how much was delivered."""
    if shot.uncertain:
        return _("result not known, at most {volume}").format(volume=volume(shot.upper_bound_nl))
    if shot.planned_nl is None:
        return _("{ended}, {volume} delivered").format(
            ended=end(shot.end_reason), volume=volume(shot.delivered_nl)
        )
    return _("{ended}, {volume} of {planned} delivered").format(
        ended=end(shot.end_reason),
        volume=volume(shot.delivered_nl),
        planned=volume(shot.planned_nl),
    )
