"""What stands in the report of a session."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import fmean, median
from typing import Final

from mesogun.catalog import needles, syringes, techniques
from mesogun.handover.aftercare import after_care
from mesogun.handover.document import Code, Document, Facts, Lines, Part, Section, Table, Text
from mesogun.handover.findings import deviations, ended, notices, warning
from mesogun.handover.joined import Proven, joined
from mesogun.handover.origin import program_of
from mesogun.handover.pictures import begun, pictures
from mesogun.handover.told import told
from mesogun.program import Program
from mesogun.program.model import PrimeStep
from mesogun.program.words import delivery_in_words, step_in_words
from mesogun.records import SessionRecord, Shot, VerifyReport, summarise
from mesogun.words import _, current, date_time, duration, ngettext, number, volume
from mesogun.words.gun import end, gun
from mesogun_protocol.enums import StepKind
from mesogun_protocol.records import STEP_NONE

_RUNNING: Final = 48
"""Letters of a patient reference that the head of each page has room for."""


def document(sessions: Sequence[Proven], number: int, made: datetime) -> Document:
    """Return the report of a visit in the language that is spoken now.

    Args:
        sessions: of the visit, one a syringe, in their order.
        number: which of its course the visit was, from 1.
        made: when the report is made, with a zone.
    """
    record, verified = joined(sessions)
    session = record.session
    parts = [each for each, _verified in sessions]
    names = ", ".join(each.session.id for each in parts)
    program = program_of(session)
    return Document(
        language=current().code.replace("_", "-"),
        title=_("Session record"),
        subtitle=_(session.program_name),
        running=_("Session {session}, patient {patient}").format(
            session=names, patient=_clipped(_patient(record))
        ),
        warning=warning(record, verified),
        made=_("Made {date}").format(date=_moment(made)),
        sections=[
            Section("", [*notices(record, verified, parts), _overview(record, parts)]),
            *([Section(_("Syringes"), [_syringes(sessions)])] if len(sessions) > 1 else []),
            Section(_("Who and what"), [_identity(record, program, names)]),
            *(
                [Section(_("Told and confirmed"), said)]
                if (said := told(record.notes, program))
                else []
            ),
            Section(_("Program"), [_steps(record, program)]),
            Section(_("Shots"), pictures(record)),
            Section(_("Statistics"), [_statistics(record)], whole=True),
            Section(_("Deviations and alarms"), deviations(record, verified)),
            Section(_("Proof"), _proof(sessions, verified), whole=True),
            after_care(session, number),
        ],
    )


def _overview(record: SessionRecord, parts: Sequence[SessionRecord]) -> Facts:
    session = record.session
    time_s = record.duration_s
    return Facts(
        [
            (_("patient"), _patient(record)),
            (_("date"), _moment(datetime.fromisoformat(session.created_at))),
            (
                _("shots"),
                _("{done} of {planned}").format(
                    done=record.shots_delivered, planned=session.shots_planned
                ),
            ),
            (
                _("volume"),
                _("{done} of {planned}").format(
                    done=volume(record.volume_nl), planned=volume(session.volume_planned_nl)
                ),
            ),
            (_("primed"), volume(sum(part.prime_nl for part in parts))),
            (_("time"), duration(time_s) if time_s is not None else _("not started")),
            (_("end"), ended(parts)),
        ]
    )


def _syringes(sessions: Sequence[Proven]) -> Table:
    """What each syringe gave: a session of its own, that the next one goes on from."""
    rows: list[tuple[str, ...]] = []
    first = sessions[0][0]
    for number_, (record, _verified) in enumerate(sessions, start=1):
        started_s = first.since_start_s(record.started_ms or 0)
        begun_at = duration(started_s) if record.started_ms is not None else _("not started")
        rows.append(
            (
                f"{number_}",
                record.session.id,
                begun_at,
                f"{record.shots_delivered}",
                volume(record.volume_nl),
                volume(record.prime_nl),
                end(record.end.reason if record.end else None),
            )
        )
    headings = (
        _("syringe"),
        _("session"),
        _("at"),
        _("shots"),
        _("volume"),
        _("primed"),
        _("end"),
    )
    return Table(headings, rows, right=(2, 3, 4, 5))


def _identity(record: SessionRecord, program: Program | None, names: str) -> Facts:
    session = record.session
    syringe, needle = syringes().get(session.syringe), needles().get(session.needle)
    rows = [
        (_("operator"), session.operator or _("not given")),
        (_("program"), _(session.program_name)),
        *_technique(program),
        (_("syringe"), syringe.title if syringe else session.syringe),
        (_("needle"), needle.title if needle else session.needle),
        (
            _("calibration"),
            _("{volume} nl a step, calibration {calibration}").format(
                volume=number(session.pl_per_step / 1000, 3),
                calibration=f"{session.calibration_id:08x}",
            ),
        ),
        (
            _("limits"),
            _("{session} a session, {shot} a shot, {shots} shots").format(
                session=volume(session.limit_session_nl),
                shot=volume(session.limit_shot_nl),
                shots=session.limit_shots,
            ),
        ),
        (
            _("gun"),
            _("{kind}, board {board}, start {boot}").format(
                kind=gun(session.gun_kind),
                board=session.board_id,
                boot=session.boot_id,
            ),
        ),
        (
            _("firmware"),
            _("{version}, build {build}").format(
                version=session.firmware_version, build=f"{session.firmware_build:08x}"
            ),
        ),
        (_("session"), names),
    ]
    return Facts(rows)


def _technique(program: Program | None) -> list[tuple[str, str]]:
    if program is None:
        return []
    known = techniques().get(program.technique)
    return [
        (_("technique"), _(known.title) if known else program.technique),
        (_("delivery"), delivery_in_words(program.delivery)),
        (_("depth"), _("{depth} mm").format(depth=number(program.depth_mm, 2, trim=True))),
    ]


def _steps(record: SessionRecord, program: Program | None) -> Part:
    """Each step with what was done of it; without its text if the program cannot be read."""
    every = [*begun(record), *record.primes]
    # A prime by hand may fall into any step, or come before the first, and belongs to none.
    numbers = [shot.step for shot in every if shot.step != STEP_NONE]
    count = len(program.steps) if program else 1 + max(numbers, default=-1)
    if not count:
        return Text(_("The program cannot be read, and no step of it was begun."))
    rows: list[tuple[str, ...]] = []
    for index in range(count):
        step = program.steps[index] if program else None
        kinds = {StepKind.PRIME} if isinstance(step, PrimeStep) else {StepKind.SHOTS, StepKind.FLOW}
        shots = [shot for shot in every if shot.step == index and shot.purpose in kinds]
        steps = sum(shot.delivered_steps for shot in shots)
        rows.append(
            (
                f"{index + 1}",
                step_in_words(step) if step else _("not readable"),
                f"{sum(shot.is_complete for shot in shots)}",
                volume(steps * record.session.pl_per_step / 1000),
                _step_time(record, shots),
            )
        )
    headings = (_("step"), _("planned"), _("carried out"), _("delivered"), _("time"))
    return Table(headings, rows, right=(2, 3, 4))


def _step_time(record: SessionRecord, shots: Sequence[Shot]) -> str:
    """From the start of the first shot to the end of the last one."""
    spans_s = [
        (start_s, start_s + (shot.motion_ms or 0) / 1000)
        for shot in shots
        if shot.start_ms is not None
        for start_s in [record.since_start_s(shot.start_ms)]
    ]
    if not spans_s:
        return _("not begun")
    return duration(max(end_s for _start, end_s in spans_s) - spans_s[0][0])


def _statistics(record: SessionRecord) -> Part:
    found = summarise(record)
    if found is None:
        return Text(_("No shot was carried out to its end, so there is nothing to average."))
    rows = [
        (_("shots carried out"), f"{found.shots}"),
        (_("mean dose planned"), volume(found.planned_mean_nl)),
        (_("mean dose delivered"), volume(found.delivered_mean_nl)),
        (
            _("smallest and largest dose"),
            _("{low} to {high}").format(
                low=volume(found.delivered_min_nl), high=volume(found.delivered_max_nl)
            ),
        ),
    ]
    if found.accuracy is not None:
        spread = found.accuracy.deviation_percent
        rows += [
            (_("mean dose error"), _percent(found.accuracy.mean_percent)),
            (
                _("standard deviation"),
                _("one shot has none") if spread is None else _percent(spread),
            ),
            (
                _("smallest and largest error"),
                _("{low} to {high}").format(
                    low=_percent(found.accuracy.under_percent),
                    high=_percent(found.accuracy.over_percent),
                ),
            ),
        ]
    rows.append(
        (
            _("worst error"),
            ngettext(
                "{count} step, shot {shot}", "{count} steps, shot {shot}", found.worst_error_steps
            ).format(count=found.worst_error_steps, shot=found.worst_error_shot + 1),
        )
    )
    return Facts(rows + _times(record))


def _times(record: SessionRecord) -> list[tuple[str, str]]:
    """Length of the shots, and time from one to the next within a step."""
    shots = [shot for shot in record.shots if shot.is_complete and shot.start_ms is not None]
    motions_s = [shot.motion_ms / 1000 for shot in shots if shot.motion_ms is not None]
    starts = [(shot.step, record.since_start_s(shot.start_ms or 0)) for shot in shots]
    periods_s = [
        later - sooner
        for (step, sooner), (next_step, later) in pairwise(starts)
        if step == next_step
    ]
    rows: list[tuple[str, str]] = []
    if motions_s:
        rows.append(
            (
                _("length of a shot"),
                _("mean {mean} s, {low} to {high} s").format(
                    mean=number(fmean(motions_s), 3),
                    low=number(min(motions_s), 3),
                    high=number(max(motions_s), 3),
                ),
            )
        )
    if periods_s:
        rows.append(
            (
                _("from shot to shot"),
                _("median {median} s, {low} to {high} s").format(
                    median=number(median(periods_s), 3),
                    low=number(min(periods_s), 3),
                    high=number(max(periods_s), 3),
                ),
            )
        )
    return rows


def _proof(sessions: Sequence[Proven], verified: VerifyReport) -> list[Part]:
    said = (
        _("Verified when this report was made: every record is the one that was sealed.")
        if verified.ok
        else _("NOT VERIFIED when this report was made; see the first page.")
    )
    return [
        Text(said),
        *(part for record, _verified in sessions for part in _hashes(record)),
        Text(
            _(
                "Whoever has this page can prove the record later: {command} must give the same "
                "hash. Volumes are steps that were counted at the motor, times the volume of a "
                "step."
            ).format(command=f"mesogun sessions verify {verified.session}")
        ),
        Lines([_("Place and date"), _("Signature of the operator")]),
    ]


def _hashes(record: SessionRecord) -> list[Part]:
    count = record.record_count
    return [
        Text(
            ngettext(
                "Session {session}, hash of {count} record of the gun (SHA-256):",
                "Session {session}, hash of {count} records of the gun (SHA-256):",
                count,
            ).format(session=record.session.id, count=count)
        ),
        Code(_grouped(record.record_hash)),
        Text(_("Seal of the session:")),
        Code(_grouped(record.seal)),
    ]


def _patient(record: SessionRecord) -> str:
    if record.session.patient_erased:
        return _("erased")
    return record.session.patient_ref or _("not given")


def _clipped(text: str) -> str:
    return text if len(text) <= _RUNNING else f"{text[:_RUNNING]}..."


def _moment(moment: datetime) -> str:
    """A time with its distance from UTC, since the reader may sit in another zone."""
    local = moment.astimezone()
    offset = local.strftime("%z")
    return _("{moment} (UTC{offset})").format(
        moment=date_time(local, local.tzinfo), offset=f"{offset[:3]}:{offset[3:5]}"
    )


def _percent(value: float) -> str:
    return _("{number} %").format(number=number(value, 2))


def _grouped(digits: str) -> str:
    """Eight digits at a time, as they are read aloud."""
    return " ".join(digits[place : place + 8] for place in range(0, len(digits), 8))
