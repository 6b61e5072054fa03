"""The console: its screens, and what happens to a gun when it goes away."""

import asyncio
import signal
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

from textual.app import App
from textual.binding import Binding, BindingType

from mesogun.console.day import DayPage
from mesogun.console.form import FormPage
from mesogun.console.guns import GunsPage
from mesogun.console.programs import ProgramsPage
from mesogun.console.sessions import SessionsPage
from mesogun.console.treating import Chosen
from mesogun.console.visit import VisitPage
from mesogun.desk.attending import Settled, checked_name
from mesogun.desk.guns import GunSeen
from mesogun.desk.summary import Visited
from mesogun.ports import AUTO
from mesogun.words import _

_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Console(App[None]):
    """The application.

    Attributes:
        settled: the gun that is used next, and who treats.
        visited: what each visit came to, in their order.
        ended_by: the signal that ended the console, None if a person did.
    """

    CSS_PATH = "console.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True)
    ]

    def __init__(self, settled: Settled) -> None:
        """Begin with what was settled on the command line."""
        super().__init__()
        self.settled = settled
        self.visited: list[Visited] = []
        self.ended_by: signal.Signals | None = None

    def on_mount(self) -> None:
        """Show the day; end as `mesogun run` does when this process is told to end."""
        loop = asyncio.get_running_loop()
        for number in _ENDS:
            # One that is ignored, as under nohup, stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, partial(self._end, number))
        self.push_screen(DayPage(self))

    def on_unmount(self) -> None:
        """Give the signals back."""
        for number in _ENDS:
            asyncio.get_running_loop().remove_signal_handler(number)

    def action_leave(self) -> None:
        """Break off what runs; without anything that runs, end."""
        if isinstance(self.screen, VisitPage):
            self.screen.desk.break_off()
        else:
            self.exit()

    def choose_program(self) -> None:
        """Choose what to give; without a gun, choose that first."""
        if self.settled.port == AUTO:
            self.choose_gun()
        else:
            self.push_screen(ProgramsPage(self._treat))

    def choose_gun(self) -> None:
        """Choose the gun."""
        port = self.settled.port
        named = None if port == AUTO or self.settled.is_simulated else port
        self.push_screen(GunsPage(self._use, named))

    def show_sessions(self) -> None:
        """Look up what was done."""
        self.push_screen(SessionsPage())

    def ask_operator(self) -> None:
        """Ask who treats."""
        title = _("Who treats? It goes into the record.")
        fields = {"operator": (_("Operator"), self.settled.operator or "")}
        self.push_screen(FormPage(title, fields, self._set_operator))

    def _set_operator(self, values: dict[str, str]) -> None:
        name = values["operator"]
        operator = checked_name(_("The operator"), name) if name else None
        self.settled = replace(self.settled, operator=operator)

    def _use(self, gun: GunSeen) -> None:
        settled = replace(self.settled, port=gun.port)
        if not settled.is_simulated:
            # What only a virtual gun understands was said for one.
            settled = replace(settled, speed=None, seed=None, auto_trigger=False)
        self.settled = settled
        self.pop_screen()

    def _treat(self, chosen: Chosen) -> None:
        self.pop_screen()
        self.push_screen(VisitPage(chosen, self.settled, self.visited.append))

    def _end(self, number: signal.Signals) -> None:
        """End because of a signal, once the gun has stopped and its record is stored."""
        self.ended_by = number
        if isinstance(self.screen, VisitPage):
            self.screen.end(self.exit)
        else:
            self.exit()
