"""The guns that are here: their state, what they have not handed over, and what to do now."""

from collections.abc import Callable, Mapping
from datetime import datetime

from textual.widgets import DataTable

from mesogun.console.page import Key
from mesogun.console.rows import RowsPage
from mesogun.desk.guns import GunSeen, hand_over, look_round
from mesogun.ports import SIM
from mesogun.words import _, date_time, ngettext
from mesogun.words.gun import fault_advice, fault_name, state
from mesogun_protocol.enums import Fault


class GunsPage(RowsPage[GunSeen]):
    """Lets one be chosen, and fetches what it holds."""

    def __init__(self, chosen: Callable[[GunSeen], None], named: str | None) -> None:
        """`chosen` is called with the gun that Enter was pressed on; `named` is in use now."""
        super().__init__()
        self._named = named
        self._chosen = chosen

    def keys(self) -> Mapping[str, Key]:
        """Those of a list of guns."""
        return {
            "arrows": Key(_("mark")),
            "enter": Key(_("use it")),
            "s": Key(_("store its records"), self._sync),
            "r": Key(_("look again"), self._look),
            "escape": Key(_("back"), self.dismiss),
        }

    def on_mount(self) -> None:
        """Look which there are."""
        self.entitle(_("Guns"))
        self._look()

    def choose(self) -> None:
        """Use the marked one, unless it cannot be used."""
        gun = self.marked
        if gun is None:
            return
        if gun.problem is not None:
            self.say(gun.problem)
        else:
            self._chosen(gun)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell what to do with the marked one."""
        if self.marked is not None:
            self.say(what_now(self.marked))

    def _look(self) -> None:
        self.say(_("Looking for guns ..."))
        self.later(lambda: look_round(self._named), self._show)

    def _show(self, seen: list[GunSeen]) -> None:
        headings = (_("gun"), _("board"), _("state"), _("stored last"))
        self.fill(headings, seen, [_row(each) for each in seen])
        if self.marked is not None:
            self.say(what_now(self.marked))

    def _sync(self) -> None:
        gun = self.marked
        if gun is not None:
            self.say(_("Storing what it holds ..."))
            self.later(lambda: (hand_over(gun.port), look_round(self._named)), self._stored)

    def _stored(self, done: tuple[int, list[GunSeen]]) -> None:
        stored, seen = done
        self._show(seen)
        told = ngettext(
            "{count} record was new and is stored.",
            "{count} records were new and are stored.",
            stored,
        ).format(count=stored)
        # Marking a row tells what to do with it, and comes after this.
        self.call_after_refresh(self.say, told)


def gun_name(port: str) -> str:
    """A gun as a person knows it: by where it is plugged in."""
    return _("virtual gun") if port == SIM else port


def what_now(gun: GunSeen) -> str:
    """What to do with a gun."""
    if gun.problem is not None:
        return gun.problem
    if gun.fault is not Fault.NONE:
        return f"{fault_name(gun.fault)}: {fault_advice(gun.fault)}"
    if gun.port == SIM and gun.unstored:
        return ngettext(
            "{count} virtual gun may hold records of a broken run: press s.",
            "{count} virtual guns may hold records of broken runs: press s.",
            gun.unstored,
        ).format(count=gun.unstored)
    if gun.unstored:
        return ngettext(
            "{count} record is not stored yet: press s.",
            "{count} records are not stored yet: press s.",
            gun.unstored,
        ).format(count=gun.unstored)
    if gun.port == SIM:
        return _("It runs the real firmware and treats nobody. Enter uses it.")
    return _("Ready. Enter uses it.")


def _row(gun: GunSeen) -> tuple[str, ...]:
    now = _("NOT USABLE") if gun.problem is not None else _("made for each treatment")
    if gun.state is not None:
        now = state(gun.state)
    stored = _("never")
    if gun.stored_at is not None:
        stored = date_time(datetime.fromisoformat(gun.stored_at))
    return gun_name(gun.port), gun.board_id or "", now, "" if gun.port == SIM else stored
