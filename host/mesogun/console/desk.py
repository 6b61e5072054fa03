"""The desk of a person at the console: the dialogue of a treatment, from its thread to the screen.

Dialogue and gun live in a thread of their own, which waits for the screen each time it asks or
shows something. So a screen that hangs lets the gun miss its heartbeat, and the gun stops.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import RenderableType

from mesogun.console.drawn import drawn
from mesogun.console.question import Kind, Question
from mesogun.console.talk import TalkPage
from mesogun.desk.hands import Hands
from mesogun.desk.text import Text
from mesogun.desk.watching import Watch
from mesogun.errors import UsageError
from mesogun.treatment import Action, Observer, Progress

T = TypeVar("T")


class ScreenDesk:
    """Asks, tells and shows on a `TalkPage`, from another thread than the screen's.

    The screen calls `press`, `break_off` and `close`; all else is the thread's.

    Attributes:
        crash: what went wrong on the screen, if anything did.
    """

    attended = True
    is_read = True

    def __init__(self, page: TalkPage) -> None:
        """Nothing is asked yet."""
        self._page = page
        self._keys: deque[str] = deque()
        self._broken = threading.Event()
        self._closed = threading.Event()
        self.crash: Exception | None = None

    def press(self, key: str) -> None:
        """Take a key for the gun."""
        self._keys.append(key)

    def break_off(self) -> None:
        """Interrupt what is asked, or the gun that is followed."""
        if not self._page.withdraw():
            self._broken.set()

    def close(self) -> None:
        """Interrupt everything from now on: the screen goes away."""
        self._closed.set()
        self._page.withdraw()

    def tell(self, line: str) -> None:
        """Tell something that is no result."""
        self.show([line])

    def show(self, text: Text) -> None:
        """Show lines and tables."""
        self.draw(drawn(text))

    def draw(self, what: RenderableType) -> None:
        """Show anything, unless the screen is gone."""
        if not self._closed.is_set():
            self._on_screen(self._page.add, what)

    def confirmed(self, question: str) -> bool:
        """Ask for a yes; anything else is a no."""
        return self._ask(Question(Kind.SURE, question))

    def yes_or_no(self, question: str) -> bool:
        """Ask until the answer is yes or no."""
        return self._ask(Question(Kind.YES_NO, question))

    def choose(self, question: str, names: Sequence[str]) -> int:
        """Ask which of `names` it is."""
        return self._ask(Question(Kind.CHOICE, question, tuple(names)))

    def ask(self, question: str, read: Callable[[str], T]) -> T:
        """Ask until `read` accepts the answer."""
        while True:
            try:
                return read(self._ask(Question(Kind.TEXT, question)).strip())
            except UsageError as error:
                self.tell(str(error))

    @contextmanager
    def follow(self, gun: str, hands: Hands) -> Generator[Observer]:
        """Fill the screen with a live view as long as the block lasts."""
        self._keys.clear()
        watch = Watch(self._look, gun, hands, self._pressed)

        def observe(progress: Progress) -> Action | None:
            if self._closed.is_set() or self._broken.is_set():
                self._broken.clear()
                raise KeyboardInterrupt
            return watch(progress)

        try:
            yield observe
        finally:
            if not self._closed.is_set():
                self._on_screen(self._page.end_live)

    def _look(self, picture: RenderableType) -> None:
        self._on_screen(self._page.look, picture)

    def _pressed(self) -> str:
        keys = ""
        while self._keys:
            keys += self._keys.popleft()
        return keys

    def _ask(self, question: Question) -> Any:
        self._broken.clear()
        return self._on_screen(self._page.ask, question)

    def _on_screen(self, act: Callable[..., Any], *arguments: object) -> Any:
        """Let the screen act, and wait for it.

        Raises:
            KeyboardInterrupt: the screen is gone, or a person withdrew the question; also if the
                screen fails, which ends a treatment just so.
        """
        if self._closed.is_set():
            raise KeyboardInterrupt
        try:
            return self._page.wait_for(act, *arguments)
        except CancelledError:
            raise KeyboardInterrupt from None
        except Exception as error:
            self.crash = self.crash or error
            self._closed.set()
            raise KeyboardInterrupt from error
