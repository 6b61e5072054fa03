"""Erasing a patient reference, and telling what is left to be done by hand."""

import sys

from mesogun.cli.printer import Answer, tell
from mesogun.cli.words import count
from mesogun.errors import RecordError, UsageError
from mesogun.records import Store


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
            f"No session has the patient reference {patient_ref!r}. "
            "`mesogun sessions list --patient-ref` finds exactly what is typed."
        )
    for each in copies:
        tell(f"{each} is a copy from before an upgrade and still holds it: delete it.")
    tell("Reports, exports and backups that were made before still hold it too.")
    return Answer(
        {"sessions": erased, "copies": copies},
        [f"Erased from {count(len(erased), 'session')}: {', '.join(erased)}."],
    )


def _confirm(patient_ref: str, having: int) -> None:
    what = f"the patient reference {patient_ref!r} from {count(having, 'session')}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"This erases {what}, which cannot be undone. Confirm it with --yes.")
    tell(f"This erases {what}, which cannot be undone. Type the reference again to go on:")
    if sys.stdin.readline().strip() != patient_ref:
        raise UsageError("Nothing was erased: the reference was not confirmed.")
