"""The program and the treatment that a session was made from, and its place in a course."""

import tomllib
from collections.abc import Iterable
from datetime import date, datetime

from pydantic import ValidationError

from mesogun.catalog import Treatment, treatments
from mesogun.program import Program
from mesogun.records import Session


def program_of(session: Session) -> Program | None:
    """Parse a program as it was stored, without the checks of today's catalog; None if it fails."""
    try:
        document = tomllib.loads(session.program_toml)
        return Program.model_validate(document | {"step": tuple(document.get("step", ()))})
    except (tomllib.TOMLDecodeError, ValidationError):
        return None


def treatment_of(session: Session) -> Treatment | None:
    """Return the treatment of the catalog, None if the program is no treatment's."""
    program = program_of(session)
    if program is not None and program.treatment is not None:
        return treatments().get(program.treatment)
    # Programs did not name their treatment at first; they bore its title.
    return next((t for t in treatments().values() if t.title == session.program_name), None)


def day_of(session: Session) -> date:
    """Return the day of a session where this computer is."""
    return datetime.fromisoformat(session.created_at).astimezone().date()


def number_in_course(session: Session, others: Iterable[Session]) -> int:
    """Return which session of its course a session is, from 1.

    Sessions of one day count once: a change of syringe or a repeated start makes several.

    Args:
        session: itself.
        others: all sessions of the same patient reference; none if there is no reference.
    """
    days = {
        day_of(each)
        for each in others
        if each.program_name == session.program_name and day_of(each) <= day_of(session)
    }
    return len(days | {day_of(session)})
