"""A session in the formats of other programs."""

from datetime import datetime
from typing import Final

from mesogun.cli.files import write_new
from mesogun.cli.printer import Answer
from mesogun.errors import UsageError
from mesogun.records import Store
from mesogun.words import _

FORMS: Final = ("csv", "json", "fhir", "ics")


def exported(name: str, form: str, output: str | None, force: bool) -> Answer:
    """One session as the text of a file."""
    if form not in FORMS:
        raise UsageError(
            _("{form} is no export format; {forms} are.").format(
                form=repr(form), forms=", ".join(FORMS)
            )
        )
    with Store.open() as store:
        session, content = store.find_session(name).id, _content(store, name, form)
    data = {"id": session, "format": form}
    if output is None:
        return Answer(data | {"content": content}, [content.rstrip("\n")])
    write_new(output, content, force=force)
    return Answer(
        data | {"file": output},
        [_("Session {session} written to {output}.").format(session=session, output=output)],
    )


def _content(store: Store, name: str, form: str) -> str:
    if form == "fhir":
        from mesogun.handover.fhir import to_fhir

        return to_fhir(*store.proven_view(name))
    if form == "ics":
        from mesogun.handover.calendar import to_calendar
        from mesogun.handover.origin import number_in_course

        session = store.find_session(name)
        number = number_in_course(store, session)
        return to_calendar(session, number, datetime.now().astimezone())
    return store.export(name, form)
