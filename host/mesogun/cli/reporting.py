"""The report of a session as a file."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import PurePath

from mesogun.cli.files import write_new
from mesogun.cli.printer import Answer
from mesogun.handover.origin import number_in_course
from mesogun.handover.report import make_report
from mesogun.records import Store
from mesogun.words import _, speak

_DEFAULT_FORM = "pdf"


def reported(
    name: str, output: str | None, form: str | None, paper: str, language: str | None, force: bool
) -> Answer:
    """Write the report of a visit.

    Args:
        name: one of its sessions.
        output: the file; None for one in this folder that is named after the first session.
        form: `pdf` or `html`; None for what the file's name ends in, else PDF.
        paper: `a4` or `letter`.
        language: spoken in the report; None for the one that is spoken here.
        force: overwrite the file.
    """
    with Store.open() as store:
        sessions = store.proven_visit(name)
        number = number_in_course(store, sessions[0][0].session)
    if form is None:
        named = PurePath(output).suffix.lower() if output else ""
        form = {".html": "html", ".htm": "html"}.get(named, _DEFAULT_FORM)
    with speak(language) if language else nullcontext():
        content = make_report(
            sessions,
            number=number,
            form=form,
            paper=paper,
            made=datetime.now().astimezone(),
        )
    names = [record.session.id for record, _verified in sessions]
    output = output or f"session-{names[0]}.{form}"
    write_new(output, content, force=force)
    complete = all(record.complete for record, _verified in sessions)
    verified = all(report.ok for _record, report in sessions)
    data = {
        "id": names[0],
        "sessions": names,
        "format": form,
        "file": output,
        "record_complete": complete,
        "verified": verified,
    }
    text = _("Report of session {names} written to {output}.").format(
        names=", ".join(names), output=output
    )
    if not (complete and verified):
        text += _(" The record is not complete or not verified; its first page says why.")
    return Answer(data, [text])
