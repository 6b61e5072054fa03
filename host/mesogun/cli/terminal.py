"""The desk of a person at a terminal, or of nobody where there is none."""

import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from mesogun.cli import asking, printer
from mesogun.cli.following import Lines, live_view
from mesogun.desk.hands import Hands
from mesogun.desk.text import Text
from mesogun.treatment import Observer

T = TypeVar("T")


@dataclass(frozen=True)
class Terminal:
    """Asks on stderr, so that stdout holds the result alone.

    Attributes:
        verbose: write progress lines where no terminal is.
    """

    verbose: bool = False

    @property
    def attended(self) -> bool:
        """Whether there is a person to ask."""
        return asking.is_interactive()

    @property
    def is_read(self) -> bool:
        """Whether somebody reads along."""
        return sys.stderr.isatty() or self.verbose

    def tell(self, line: str) -> None:
        """Tell something that is no result."""
        printer.tell(line)

    def show(self, text: Text) -> None:
        """Show lines and tables."""
        printer.show(text, stderr=True)

    def confirmed(self, question: str) -> bool:
        """Ask for a yes; anything else is a no."""
        return asking.confirmed(question)

    def yes_or_no(self, question: str) -> bool:
        """Ask until the answer is yes or no."""
        return asking.yes_or_no(question)

    def choose(self, question: str, names: Sequence[str]) -> int:
        """Ask which of `names` it is, by its number."""
        return asking.choose(question, names)

    def ask(self, question: str, read: Callable[[str], T]) -> T:
        """Ask until `read` accepts the answer."""
        return asking.ask(question, read)

    @contextmanager
    def follow(self, gun: str, hands: Hands) -> Generator[Observer]:
        """A live view on a terminal, lines where they are asked for; signals interrupt."""
        with _signals_interrupt(), self._view(gun, hands) as observe:
            yield observe

    def _view(self, gun: str, hands: Hands) -> AbstractContextManager[Observer]:
        if sys.stderr.isatty():
            return live_view(gun, hands)
        return nullcontext(Lines() if self.verbose else lambda _progress: None)


@contextmanager
def _signals_interrupt() -> Generator[None]:
    """Stop the gun also when this process is told to end, or its window is closed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # Passed on, because whoever must not be interrupted just now blocks this one.
        signal.raise_signal(signal.SIGINT)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        # One that is ignored, as under nohup, stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
