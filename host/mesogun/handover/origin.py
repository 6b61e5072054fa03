"""The program and the treatment that a session was made from, and its place in a course."""

import tomllib
from datetime import date, datetime

from pydantic import ValidationError

from mesogun.catalog import Treatment, treatments
from mesogun.errors import RecordError
from mesogun.program import Program
from mesogun.records import Session, Store


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


def number_in_course(store: Store, session: Session) -> int:
    """Return which session of its course a session is, from 1; 1 without a patient reference.

    Days count, and only those on which something was delivered: a change of syringe or a start that
    was repeated makes several sessions of one.
    """
    days = {day_of(session)}
    if session.patient_ref is not None:
        days |= {
            day_of(each)
            for each in store.list_sessions(patient_ref=session.patient_ref)
            if day_of(each) < day_of(session)
            and treatment_of(each) == treatment_of(session)
            and _has_delivered(store, each)
        }
    return len(days)


def _has_delivered(store: Store, session: Session) -> bool:
    """Whether a session gave anything; one that cannot be read may have."""
    try:
        return store.session_view(session.id).upper_bound_nl > 0
    except RecordError:
        return True
