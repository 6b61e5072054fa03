"""The end of a visit: what it came to, the next session, and what to tell the patient."""

from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from mesogun.catalog import Appointment, care, next_session
from mesogun.desk.text import Table, Text
from mesogun.handover.origin import day_of, number_in_course, treatment_of
from mesogun.program import Program
from mesogun.records import Store
from mesogun.treatment import Result
from mesogun.words import _, date, duration, volume
from mesogun.words.gun import end, fault, fault_name
from mesogun_protocol.enums import EndReason, Fault


@dataclass(frozen=True)
class Visited:
    """What a visit came to.

    Attributes:
        result: of all its sessions.
        program: that was given.
        shots_left: of the program, that were not begun.
        due: the next session of the course, None if there is none.
    """

    result: Result
    program: Program
    shots_left: int
    due: Appointment | None


def next_due(store: Store, result: Result) -> Appointment | None:
    """The session of the course that follows this one, None if there is none."""
    session = store.find_session(result.session)
    treatment = treatment_of(session)
    if treatment is None:
        return None
    return next_session(treatment, number_in_course(store, session), day_of(session))


def problems(result: Result) -> list[str]:
    """What was not as it should be in a visit, and what to do."""
    told = [fault(Fault[name.upper()]) for name in result.faults]
    if not result.record_complete:
        told.append(
            _("The record is not complete: `{command}` says why.").format(
                command=f"mesogun sessions verify {result.session}"
            )
        )
    return told


def summary(visited: Visited) -> Text:
    """What a visit came to, and what to tell the patient."""
    result = visited.result
    rows = [
        (_("session"), f"{', '.join(result.sessions)}, {_ended(visited)}"),
        (_("program"), _(result.program)),
        (_("shots"), _of(str(result.shots_delivered), str(result.shots_planned))),
        (_("volume"), _volumes(result)),
        (_("time"), duration(result.duration_s)),
        (_("faults"), _faults(result) or _("none")),
        (_("uncertain"), _("{number} shots").format(number=result.uncertain_shots)),
        (_("record"), _("complete") if result.record_complete else _("NOT COMPLETE")),
        (_("hash"), result.record_hash),
    ]
    if result.seed is not None:
        rows.append((_("seed"), _("{seed} (simulated)").format(seed=result.seed)))
    if visited.due is not None:
        rows.append((_("next"), _due(visited.due)))
    return [Table(rows), *_after_care(visited.program.treatment, result)]


def summary_data(visited: Visited) -> dict[str, Any]:
    """The same for programs."""
    result = visited.result
    return asdict(result) | {
        "ended": result.ended.name.lower() if result.ended is not None else None,
        "faults": list(result.faults),
        "sessions": list(result.sessions),
        "shots_left": visited.shots_left,
        "next_session": _due_data(visited.due),
    }


def _ended(visited: Visited) -> str:
    """How it ended; a syringe that came to its end is not yet the end of the program."""
    if visited.result.ended is EndReason.COMPLETE and visited.shots_left:
        return _("no further syringe was given")
    return end(visited.result.ended)


def _faults(result: Result) -> str:
    return ", ".join(fault_name(Fault[name.upper()]).lower() for name in result.faults)


def _due(due: Appointment) -> str:
    day = date(datetime.combine(due.day, time(12)).astimezone())
    if due.planned is None:
        return _("session {number}, on {day}").format(number=due.number, day=day)
    return _("session {number} of {planned}, on {day}").format(
        number=due.number, planned=due.planned, day=day
    )


def _due_data(due: Appointment | None) -> dict[str, Any] | None:
    if due is None:
        return None
    return {"number": due.number, "planned": due.planned, "day": due.day.isoformat()}


def _after_care(treatment: str | None, result: Result) -> list[str]:
    """What to tell the patient, once something was given."""
    if not result.volume_delivered_nl:
        return []
    advice = [*care().after, *care().expect]
    told = [f"  - {each.words}" for each in advice if each.concerns(treatment)]
    return ["", _("Tell the patient:"), *told]


def _of(part: str, whole: str) -> str:
    return _("{part} of {whole}").format(part=part, whole=whole)


def _volumes(result: Result) -> str:
    given = _of(volume(result.volume_delivered_nl), volume(result.volume_planned_nl))
    if result.volume_needle_nl is None:
        return given
    return _("{given}, {needle} out of the needle").format(
        given=given, needle=volume(result.volume_needle_nl)
    )
