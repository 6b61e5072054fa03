"""What every screen of the console has: a title, and its keys in the last line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from mesogun.errors import MesogunError
from mesogun.words import N_, _

T = TypeVar("T")
_NAMES: Final = {
    "escape": N_("Esc"),
    "enter": N_("Enter"),
    "arrows": N_("arrows"),
    "pages": N_("PgUp/PgDn"),
}


@dataclass(frozen=True)
class Key:
    """What a key does.

    Attributes:
        label: in words.
        act: None where the widget that has the keys does it by itself.
    """

    label: str
    act: Callable[[], object] | None = None


class Page(Screen[None]):
    """A screen whose keys all stand in its last line; any other key does nothing."""

    def __init__(self) -> None:
        """Compose with `body`, act by `keys`."""
        super().__init__()
        self._title = Static(id="title")
        self._said = Static(id="said")
        self._said.display = False
        self._keys = Static(id="keys")

    def compose(self) -> ComposeResult:
        """Title, body, what was said last, and the keys."""
        yield self._title
        yield from self.body()
        yield self._said
        yield self._keys

    def body(self) -> ComposeResult:
        """What stands between title and keys."""
        yield Widget()

    def keys(self) -> Mapping[str, Key]:
        """What each key does now."""
        return {}

    def entitle(self, title: str) -> None:
        """Write the title."""
        self._title.update(Text(title, no_wrap=True, overflow="ellipsis"))

    def say(self, text: str) -> None:
        """Tell what came of the last key; an empty text takes it away."""
        self._said.update(Text(text))
        self._said.display = bool(text)

    def show_keys(self) -> None:
        """Write the keys as they are now."""
        told = [f"{_name(key)} {what.label}" for key, what in self.keys().items()]
        self._keys.update(Text("   ".join(told)))

    def open(self, page: Screen[None]) -> None:
        """Put another screen in front."""
        self._application.push_screen(page)

    def wait_for(self, act: Callable[..., Any], *arguments: object) -> Any:
        """Let the screen's thread act, and wait for it; called from any other."""
        return self._application.call_from_thread(act, *arguments)

    def later(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Let `work` be done while the screen goes on, then act; what is refused is said.

        Whoever has left the page by then is not troubled any more.
        """

        def act() -> None:
            try:
                done = work()
            except MesogunError as error:
                self.wait_for(self._if_here, self.say, str(error))
            else:
                self.wait_for(self._if_here, then, done)

        self.run_worker(act, thread=True, exclusive=True)

    def _if_here(self, then: Callable[[T], None], done: T) -> None:
        if self.is_attached:
            then(done)

    @property
    def _application(self) -> App[object]:
        # The toolkit leaves open what an application returns.
        return cast("App[object]", self.app)  # pyright: ignore[reportUnknownMemberType]

    def on_mount(self) -> None:
        """Show the keys; the toolkit calls this after the `on_mount` of each kind of page."""
        self.show_keys()

    def on_screen_resume(self) -> None:
        """Show what may have changed behind another screen."""
        self.show_keys()

    def on_key(self, event: events.Key) -> None:
        """Act by the key."""
        what = self.keys().get(event.key)
        if what is not None and what.act is not None:
            event.stop()
            what.act()


def _name(key: str) -> str:
    return _(_NAMES[key]) if key in _NAMES else key
