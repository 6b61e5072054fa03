"""What can be given: treatments and techniques of the catalog, and program files of this folder."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from mesogun.catalog import get_technique, techniques, treatments
from mesogun.console.page import Key
from mesogun.console.rows import RowsPage
from mesogun.console.treating import Chosen
from mesogun.words import _


class ProgramsPage(RowsPage[Chosen]):
    """Lets one be chosen."""

    def __init__(self, chosen: Callable[[Chosen], None]) -> None:
        """`chosen` is called with what Enter was pressed on."""
        super().__init__()
        self._chosen = chosen

    def keys(self) -> Mapping[str, Key]:
        """Those of a list."""
        return {
            "arrows": Key(_("mark")),
            "enter": Key(_("plan it")),
            "escape": Key(_("back"), self.dismiss),
        }

    def on_mount(self) -> None:
        """Show them all."""
        self.entitle(_("What is to be given?"))
        found = [*_catalog(), *_files()]
        headings = (_("kind"), _("name"), _("technique"))
        self.fill(headings, [each[0] for each in found], [each[1:] for each in found])

    def choose(self) -> None:
        """Go on with the marked one."""
        if self.marked is not None:
            self._chosen(self.marked)


_Row = tuple[Chosen, str, str, str]


def _catalog() -> list[_Row]:
    rows: list[_Row] = []
    for each in treatments().values():
        technique = _(get_technique(each.technique).title)
        rows.append((Chosen(each.id, each.title), _("treatment"), _(each.title), technique))
    rows.extend(
        (Chosen(each.id, each.title), _("technique"), _(each.title), "")
        for each in techniques().values()
    )
    return rows


def _files() -> list[_Row]:
    """The TOML files here that name a technique, or cannot be read."""
    rows: list[_Row] = []
    for path in sorted(Path().glob("*.toml")):
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            # Shown all the same: the refusal tells the line that has to be mended.
            document = {"technique": "", "name": _("cannot be read")}
        if "technique" in document:
            title = str(document.get("name", path.stem))
            rows.append((Chosen(str(path), title, is_file=True), _("file"), title, str(path)))
    return rows
