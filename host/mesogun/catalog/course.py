"""When the next session of a course is due."""

from dataclasses import dataclass
from datetime import date, timedelta

from mesogun.catalog.models import CoursePhase, Treatment


@dataclass(frozen=True)
class Appointment:
    """A session that is due.

    Attributes:
        number: of the session in the course, from 1.
        planned: sessions of its phase and the ones before, None if it goes on as long as needed.
        day: when it is due.
        phase: what it belongs to, with its source.
    """

    number: int
    planned: int | None
    day: date
    phase: CoursePhase


def next_session(treatment: Treatment, done: int, last: date) -> Appointment | None:
    """Return the session after `done` ones, of which the last was on the day `last`.

    None if the course is over. The interval is that of the phase that the next session is in: the
    first maintenance session follows the last of the course by the interval of maintenance.
    """
    begun = 0
    for phase in treatment.course:
        end = None if phase.sessions is None else begun + phase.sessions
        if end is None or done < end:
            day = last + timedelta(days=phase.interval_days)
            return Appointment(done + 1, end, day, phase)
        begun = end
    return None


def days(treatment: Treatment, first: date, count: int) -> list[Appointment]:
    """Return the first `count` sessions of a course that begins on `first`, or all there are."""
    found = [Appointment(1, treatment.course[0].sessions, first, treatment.course[0])]
    while len(found) < count:
        following = next_session(treatment, len(found), found[-1].day)
        if following is None:
            break
        found.append(following)
    return found[:count]
