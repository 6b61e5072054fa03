"""The page that the patient takes home: what to expect, what to avoid, when to come back."""

from datetime import UTC, date, datetime, time

from mesogun.catalog import care, next_session
from mesogun.handover.document import Part, Points, Section, Text
from mesogun.handover.origin import day_of, treatment_of
from mesogun.records import Session
from mesogun.words import _
from mesogun.words import date as date_in_words


def after_care(session: Session, number: int) -> Section:
    """Return the page; of the record it tells nothing but the day and the treatment.

    Args:
        session: of the record.
        number: which session of its course this was, from 1.
    """
    treatment = treatment_of(session)
    name = treatment.id if treatment else None
    expect, after = (
        [advice.words for advice in table if advice.concerns(name)]
        for table in (care().expect, care().after)
    )
    parts: list[Part] = [
        Text(
            _("{treatment}, {date}").format(
                treatment=_(session.program_name), date=_in_words(day_of(session))
            )
        ),
        Text(_("What you may see:")),
        Points(expect),
        Text(_("What to do, and what to leave:")),
        Points(after),
        *_coming(session, number),
    ]
    return Section(_("After your treatment"), parts, own_page=True, whole=True)


def _coming(session: Session, number: int) -> list[Part]:
    """When the next session is due; nothing for a program without a course."""
    treatment = treatment_of(session)
    if treatment is None:
        return []
    following = next_session(treatment, number, day_of(session))
    if following is None:
        return [Text(_("This was the last session of the course."))]
    due = _("Your next session is due about {date}.").format(date=_in_words(following.day))
    return [Text(f"{due} {session_in_words(following.number, following.planned)}")]


def session_in_words(number: int, planned: int | None) -> str:
    """Which session of a course it is."""
    if planned is None:
        return _("Session {number}; they go on as long as they are needed.").format(number=number)
    return _("Session {number} of {count}.").format(number=number, count=planned)


def _in_words(day: date) -> str:
    return date_in_words(datetime.combine(day, time(12), UTC), UTC)
