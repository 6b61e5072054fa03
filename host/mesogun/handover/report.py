"""Makes the report of a session: what stands in it, and the file that it becomes."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from mesogun.errors import UsageError
from mesogun.handover.content import document
from mesogun.handover.html import to_html
from mesogun.handover.joined import Proven
from mesogun.handover.pdf import PAPERS, to_pdf
from mesogun.words import _

FORMATS = ("pdf", "html")


def make_report(
    sessions: Sequence[Proven],
    *,
    number: int,
    form: str,
    paper: str,
    made: datetime,
) -> bytes:
    """Return the report of a visit as the bytes of a file, in the language that is spoken now.

    Args:
        sessions: of the visit, one a syringe, in their order (`Store.proven_visit`).
        number: which of its course the visit was, from 1 (`number_in_course`).
        form: `pdf` or `html`.
        paper: `a4` or `letter`, for a PDF; HTML is laid out by whoever prints it.
        made: when it is made, with a zone.

    Raises:
        UsageError: if there is no such format or paper.
    """
    _require(form, _("report format"), FORMATS)
    _require(paper, "paper", PAPERS)
    report = document(sessions, number, made)
    if form == "html":
        return to_html(report).encode()
    return to_pdf(report, paper, made)


def _require(value: str, what: str, known: Iterable[str]) -> None:
    names = tuple(known)
    if value not in names:
        raise UsageError(
            _("{value} is no {what}; {names} are.").format(
                value=repr(value), what=what, names=_(" and ").join(names)
            )
        )
