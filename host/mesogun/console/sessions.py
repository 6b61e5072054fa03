"""Past sessions: which there were, what each came to, its proof and its report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from mesogun.console.drawn import paper
from mesogun.console.form import FormPage
from mesogun.console.page import Key, Page
from mesogun.console.report import read_visit, write_report
from mesogun.console.rows import RowsPage
from mesogun.errors import RecordError, UsageError
from mesogun.handover.content import document
from mesogun.handover.findings import notices
from mesogun.records import Session, Store
from mesogun.words import N_, _, ngettext
from mesogun.words.gun import end

_MOST: Final = 50
"""Sessions that are listed; filters find the others."""


@dataclass(frozen=True)
class Filter:
    """Which sessions are listed; empty texts let all through.

    Attributes:
        since: first day, `2026-11-25`.
        until: last day.
        operator: exactly this one.
        patient: exactly this reference.
        gun: board id, or its beginning.
    """

    since: str = ""
    until: str = ""
    operator: str = ""
    patient: str = ""
    gun: str = ""

    def sessions(self, store: Store) -> list[Session]:
        """The newest of them.

        Raises:
            UsageError: a day is none, or the board id.
        """
        until = _day(self.until)
        return store.list_sessions(
            since=_day(self.since),
            until=until + timedelta(days=1) if until else None,
            operator=self.operator or None,
            patient_ref=self.patient or None,
            board_id=self.gun or None,
            limit=_MOST,
        )


_FIELDS: Final = {
    "since": N_("From the day (such as 2026-11-25)"),
    "until": N_("To the day"),
    "operator": N_("Operator"),
    "patient": N_("Patient reference"),
    "gun": N_("Gun, its board id or the beginning"),
}


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").astimezone()
    except ValueError:
        raise UsageError(
            _("{text} is no day: write year-month-day, such as 2026-11-25.").format(text=text[:20])
        ) from None


class SessionsPage(RowsPage[Session]):
    """The list."""

    def __init__(self) -> None:
        """All of them."""
        super().__init__()
        self._filter = Filter()

    def keys(self) -> Mapping[str, Key]:
        """Those of a list of sessions."""
        return {
            "enter": Key(_("show")),
            "f": Key(_("filter"), self._ask_filter),
            "v": Key(_("verify"), lambda: self._with_marked(_verify)),
            "p": Key("PDF", lambda: self._with_marked(_pdf)),
            "h": Key("HTML", lambda: self._with_marked(_html)),
            "escape": Key(_("back"), self.dismiss),
        }

    def on_mount(self) -> None:
        """List all."""
        self._list(self._filter)

    def choose(self) -> None:
        """Show the marked one."""
        if self.marked is not None:
            name = self.marked.id
            self.say(_("Reading the records ..."))
            self.later(lambda: _read(name), lambda read: self._open(name, read))

    def _open(self, name: str, read: RenderableType) -> None:
        self.say("")
        self.open(SessionPage(name, read))

    def _with_marked(self, act: Callable[[str], str]) -> None:
        if self.marked is not None:
            _tell(self, act, self.marked.id)

    def _ask_filter(self) -> None:
        fields = {name: (_(label), getattr(self._filter, name)) for name, label in _FIELDS.items()}
        title = _("Which sessions? Empty lines let all through.")
        self.open(FormPage(title, fields, lambda given: self._list(Filter(**given))))

    def _list(self, wanted: Filter) -> None:
        """List what the filter lets through.

        Raises:
            UsageError: it is wrong.
        """
        with Store.open() as store:
            found = wanted.sessions(store)
        self._filter = wanted
        self.say(_("Reading the records ..."))
        self.later(lambda: _rows(found), lambda rows: self._show(found, rows))

    def _show(self, found: list[Session], rows: list[tuple[str, ...]]) -> None:
        wanted = self._filter
        title = _("Past sessions") if wanted == Filter() else _("Past sessions, FILTERED")
        sessions = ngettext("{count} session", "{count} sessions", len(found))
        self.entitle(
            _("{title}: {what}").format(title=title, what=sessions.format(count=len(found)))
        )
        headings = (_("id"), _("date"), _("operator"), _("patient"), _("shots"), _("program"))
        self.fill(headings, found, rows)
        told = "" if found else _("No session. f changes the filter.")
        if len(found) == _MOST:
            told = _("These are the newest {count}. f finds older ones.").format(count=_MOST)
        self.say(told)


def _rows(sessions: list[Session]) -> list[tuple[str, ...]]:
    with Store.open() as store:
        return [_row(store, session) for session in sessions]


def _row(store: Store, session: Session) -> tuple[str, ...]:
    made = datetime.fromisoformat(session.created_at).astimezone()
    patient = session.patient_ref or (_("erased") if session.patient_erased else "")
    came_to = _("NOT READABLE")
    try:
        record = store.session_view(session.id)
    except RecordError:
        # One damaged record must not hide the others; v tells what is wrong with it.
        pass
    else:
        ended = end(record.end.reason if record.end else None)
        if not record.complete:
            ended += _(", INCOMPLETE")
        came_to = f"{record.shots_delivered}/{session.shots_planned} {ended}"
    return (
        session.id,
        f"{made:%Y-%m-%d %H:%M}",
        session.operator or "",
        patient,
        came_to,
        _(session.program_name),
    )


def _tell(page: Page, act: Callable[[str], str], session: str) -> None:
    """Say what comes of an act, which may take seconds."""
    page.say(_("Reading the records ..."))
    page.later(lambda: act(session), page.say)


def _verify(session: str) -> str:
    with Store.open() as store:
        record, verified = store.proven_view(session)
    bad = [each for each in notices(record, verified, [record]) if each.tone == "bad"]
    told = [" ".join([each.title, *each.details]) for each in bad]
    if verified.ok and record.complete:
        told.append(_("COMPLETE AND VERIFIED: nothing was changed, nothing is missing."))
    return f"{session}: " + " ".join(told)


def _pdf(session: str) -> str:
    return _("Report written to {file}.").format(file=write_report(session, "pdf"))


def _html(session: str) -> str:
    return _("Report written to {file}.").format(file=write_report(session, "html"))


class SessionPage(Page):
    """One session, as its report tells it."""

    def __init__(self, session: str, read: RenderableType) -> None:
        """Show what was read of it."""
        super().__init__()
        self._session = session
        self._log = VerticalScroll(Static(read), id="log")

    def body(self) -> ComposeResult:
        """The report."""
        yield self._log

    def keys(self) -> Mapping[str, Key]:
        """Those of a session."""
        return {
            "pages": Key(_("read on")),
            "v": Key(_("verify"), lambda: _tell(self, _verify, self._session)),
            "p": Key("PDF", lambda: _tell(self, _pdf, self._session)),
            "h": Key("HTML", lambda: _tell(self, _html, self._session)),
            "escape": Key(_("back"), self.dismiss),
        }

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.entitle(_("Session {session}").format(session=self._session))
        self._log.focus()


def _read(session: str) -> RenderableType:
    return paper(document(*read_visit(session), datetime.now().astimezone()))
