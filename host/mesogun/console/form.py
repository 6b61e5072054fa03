"""A page of lines to fill in."""

from collections.abc import Callable, Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from mesogun.console.page import Key, Page
from mesogun.errors import MesogunError
from mesogun.words import _


class FormPage(Page):
    """Asks for several texts at once; each may stay empty."""

    def __init__(
        self,
        title: str,
        fields: Mapping[str, tuple[str, str]],
        use: Callable[[dict[str, str]], None],
    ) -> None:
        """Show `fields`, each with its label and value; `use` takes the values or refuses them."""
        super().__init__()
        self._heading = title
        self._use = use
        self._labels = {name: label for name, (label, _value) in fields.items()}
        self._lines = {
            name: Input(value, id=name, select_on_focus=False)
            for name, (_label, value) in fields.items()
        }

    def body(self) -> ComposeResult:
        """A label and a line for each."""
        for name, line in self._lines.items():
            yield Static(Text(self._labels[name]))
            yield line

    def keys(self) -> Mapping[str, Key]:
        """Those of a form."""
        more = {"tab": Key(_("next line"))} if len(self._lines) > 1 else {}
        return more | {"enter": Key(_("accept")), "escape": Key(_("back"), self.dismiss)}

    def on_mount(self) -> None:
        """Begin with the first line."""
        self.entitle(self._heading)
        next(iter(self._lines.values())).focus()

    def on_input_submitted(self) -> None:
        """Use the values, or tell what is wrong with them."""
        try:
            self._use({name: line.value.strip() for name, line in self._lines.items()})
        except MesogunError as error:
            self.say(str(error))
        else:
            self.dismiss()
