"""The first screen: which gun, who treats, what was done today, and what can be done now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from mesogun.console.guns import gun_name
from mesogun.console.page import Key, Page
from mesogun.desk.attending import Settled
from mesogun.desk.big import big, largest
from mesogun.ports import AUTO
from mesogun.records import Store
from mesogun.words import _, date, ngettext


class Day(Protocol):
    """What the day knows and leads to."""

    @property
    def settled(self) -> Settled:
        """The gun that is used next, and who treats."""
        ...

    def choose_program(self) -> None:
        """Begin a treatment."""
        ...

    def choose_gun(self) -> None:
        """Choose the gun."""
        ...

    def ask_operator(self) -> None:
        """Ask who treats."""
        ...

    def show_sessions(self) -> None:
        """Look up what was done."""
        ...

    def action_leave(self) -> None:
        """End."""
        ...


class DayPage(Page):
    """Where everything begins."""

    def __init__(self, of: Day) -> None:
        """Show and act on the day `of`."""
        super().__init__()
        self._of = of
        self._day = Static(id="day")

    def body(self) -> ComposeResult:
        """Name, gun, operator, what to do."""
        yield self._day

    def keys(self) -> Mapping[str, Key]:
        """The parts of the day."""
        return {
            "t": Key(_("treat"), self._of.choose_program),
            "g": Key(_("guns"), self._of.choose_gun),
            "o": Key(_("operator"), self._of.ask_operator),
            "r": Key(_("records"), self._of.show_sessions),
            "q": Key(_("quit"), self._of.action_leave),
        }

    def on_mount(self) -> None:
        """Show the day."""
        self.on_screen_resume()

    def on_resize(self) -> None:
        """Draw as large as the screen allows now."""
        self._day.update(self._picture())

    def on_screen_resume(self) -> None:
        """Show the day as it is now."""
        self.entitle(f"mesogun   {date(datetime.now().astimezone())}")
        self._day.update(self._picture())

    def _picture(self) -> RenderableType:
        settled = self._of.settled
        has_gun = settled.port != AUTO
        facts = Table.grid(padding=(0, 2))
        rows = [
            (_("Gun"), gun_name(settled.port) if has_gun else _("NONE CHOSEN")),
            (_("Operator"), settled.operator or _("not given")),
            (_("Today"), _today()),
        ]
        for name, value in rows:
            facts.add_row(Text(name, style="bold"), Text(value))
        now = (
            _("t begins a treatment: plan, check, give, report.")
            if has_gun
            else _("g chooses the gun. None is ever taken by itself, a virtual one least of all.")
        )
        word = _("READY") if has_gun else _("CHOOSE GUN")
        scale = largest([word], self.size.width - 2, self.size.height // 2)
        return Group(
            "",
            Text("\n".join(big(word, scale)), style="bold", no_wrap=True),
            "",
            Text(f"> {now}", style="bold"),
            "",
            facts,
        )


def _today() -> str:
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    with Store.open() as store:
        count = len(store.list_sessions(since=midnight))
    return ngettext("{count} session", "{count} sessions", count).format(count=count)
