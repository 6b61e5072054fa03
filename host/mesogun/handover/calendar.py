"""Writes the course of a treatment as a calendar (RFC 5545), for patient and practice.

Calendars are shared with telephones and servers: no reference, no name and no figure of the record
is in one, only the treatment and the days.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mesogun.catalog import Appointment, Treatment, next_session
from mesogun.errors import UsageError
from mesogun.handover.aftercare import session_in_words
from mesogun.handover.origin import day_of, treatment_of
from mesogun.records import Session
from mesogun.words import _, current

if TYPE_CHECKING:
    from icalendar import Event


def to_calendar(session: Session, number: int, made: datetime) -> str:
    """Return the course from this session on as a calendar, one event a session.

    Maintenance that goes on as long as it is needed is one event that repeats without an end.

    Args:
        session: a session of the course.
        number: which one it is, from 1.
        made: when the calendar is made, with a zone.

    Raises:
        UsageError: if the program is no treatment's.
    """
    treatment = treatment_of(session)
    if treatment is None:
        raise UsageError(
            _(
                "Session {session} ran {program}, which is no treatment and has no course. "
                "`mesogun catalog treatments` lists those that have one."
            ).format(session=session.id, program=repr(session.program_name))
        )
    # Its time zones take longer to import than all else here.
    from icalendar import Calendar

    appointments = _appointments(treatment, session, number)
    calendar = Calendar.new(
        prodid="-//mesogun//course of a treatment//",
        name=_(session.program_name),
        language=current().code,
        subcomponents=[_event(due, session, made) for due in appointments],
    )
    return calendar.to_ical().decode()


def _appointments(treatment: Treatment, session: Session, number: int) -> Iterator[Appointment]:
    """Yield this session and those that follow, up to the first of a phase without an end."""
    day = day_of(session)
    due = next_session(treatment, number - 1, day)
    if due is not None:
        due = replace(due, day=day)
    while due is not None:
        yield due
        due = None if due.planned is None else next_session(treatment, due.number, due.day)


def _event(due: Appointment, session: Session, made: datetime) -> "Event":
    from icalendar import Event, vRecur

    event = Event.new(
        uid=f"{session.id}-{due.number}@mesogun",
        stamp=made.astimezone(UTC),
        start=due.day,
        end=due.day + timedelta(days=1),
        summary=_(session.program_name),
        description=session_in_words(due.number, due.planned),
    )
    if due.planned is None:
        event["RRULE"] = vRecur({"FREQ": ["DAILY"], "INTERVAL": [due.phase.interval_days]})
    return event
