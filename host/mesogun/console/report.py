"""Writes the report of a session into the folder that the console runs in."""

from datetime import datetime
from itertools import count
from pathlib import Path

from mesogun.errors import UsageError
from mesogun.handover.joined import Proven
from mesogun.handover.origin import number_in_course
from mesogun.handover.report import make_report
from mesogun.records import Store
from mesogun.words import _


def read_visit(session: str) -> tuple[list[Proven], int]:
    """Read all sessions of the visit that a session belongs to, and its number in its course.

    Raises:
        RecordError: one of them cannot be read.
    """
    with Store.open() as store:
        sessions = store.proven_visit(session)
        return sessions, number_in_course(store, sessions[0][0].session)


def write_report(session: str, form: str) -> Path:
    """Write that of a visit as `pdf` or `html`, never over a file that is there; return the file.

    Args:
        session: one of the visit's.
        form: of the file.

    Raises:
        RecordError: the record cannot be read.
        UsageError: the folder cannot be written to.
    """
    sessions, number = read_visit(session)
    made = datetime.now().astimezone()
    content = make_report(sessions, number=number, form=form, paper="a4", made=made)
    name = f"session-{sessions[0][0].session.id}"
    for again in count(1):
        path = Path(f"{name}.{form}" if again == 1 else f"{name}-{again}.{form}")
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(
                _(
                    "{file} cannot be written ({reason}): start the console in another folder."
                ).format(file=path.resolve(), reason=error.strerror)
            ) from None
        return path
    raise AssertionError("count() has no end")
