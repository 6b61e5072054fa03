"""The report of a session as a file."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import PurePath

from mesogun.cli.files import write_new
from mesogun.cli.printer import Answer
from mesogun.handover.origin import number_in_course
from mesogun.handover.report import make_report
from mesogun.records import Store
from mesogun.words import speak

_DEFAULT_FORM = "pdf"


def reported(
    name: str, output: str | None, form: str | None, paper: str, language: str | None, force: bool
) -> Answer:
    """Write the report of one session.

    Args:
        name: the session.
        output: the file; None for one in this folder that is named after the session.
        form: `pdf` or `html`; None for what the file's name ends in, else PDF.
        paper: `a4` or `letter`.
        language: spoken in the report; None for the one that is spoken here.
        force: overwrite the file.
    """
    with Store.open() as store:
        record, verified = store.proven_view(name)
        number = number_in_course(store, record.session)
    if form is None:
        named = PurePath(output).suffix.lower() if output else ""
        form = {".html": "html", ".htm": "html"}.get(named, _DEFAULT_FORM)
    with speak(language) if language else nullcontext():
        content = make_report(
            record,
            verified,
            number=number,
            form=form,
            paper=paper,
            made=datetime.now().astimezone(),
        )
    session = record.session.id
    output = output or f"session-{session}.{form}"
    write_new(output, content, force=force)
    data = {
        "id": session,
        "format": form,
        "file": output,
        "record_complete": record.complete,
        "verified": verified.ok,
    }
    text = f"Report of session {session} written to {output}."
    if not (record.complete and verified.ok):
        text += " The record is not complete or not verified; its first page says why."
    return Answer(data, [text])
