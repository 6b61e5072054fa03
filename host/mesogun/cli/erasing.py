"""Erasing a patient reference, and telling what is left to be done by hand."""

import sys

from mesogun.cli.printer import Answer, tell
from mesogun.errors import RecordError, UsageError
from mesogun.records import Store
from mesogun.words import _, ngettext


def erase_patient(patient_ref: str, yes: bool) -> Answer:
    """Erase a reference from the store after the person has confirmed it."""
    with Store.open() as store:
        having = len(store.list_sessions(patient_ref=patient_ref))
        if having and not yes:
            _confirm(patient_ref, having)
        # Also where no session has it: an earlier attempt may not have got to the free space.
        erased = store.erase_patient(patient_ref)
        copies = [str(each) for each in store.backups()]
    if not erased:
        raise RecordError(
            _(
                "No session has the patient reference {reference}. `mesogun sessions list "
                "--patient-ref` finds exactly what is typed."
            ).format(reference=repr(patient_ref))
        )
    for each in copies:
        tell(
            _("{each} is a copy from before an upgrade and still holds it: delete it.").format(
                each=each
            )
        )
    tell(_("Reports, exports and backups that were made before still hold it too."))
    return Answer(
        {"sessions": erased, "copies": copies},
        [
            _("Erased from {sessions}: {names}.").format(
                sessions=_sessions(len(erased)), names=", ".join(erased)
            )
        ],
    )


def _confirm(patient_ref: str, having: int) -> None:
    what = _("the patient reference {reference} from {sessions}").format(
        reference=repr(patient_ref), sessions=_sessions(having)
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            _("This erases {what}, which cannot be undone. Confirm it with --yes.").format(
                what=what
            )
        )
    tell(
        _("This erases {what}, which cannot be undone. Type the reference again to go on:").format(
            what=what
        )
    )
    if sys.stdin.readline().strip() != patient_ref:
        raise UsageError(_("Nothing was erased: the reference was not confirmed."))


def _sessions(count: int) -> str:
    return ngettext("{count} session", "{count} sessions", count).format(count=count)
