"""The person's side of a treatment; the command line and the console each are one."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from mesogun.desk.hands import Hands
from mesogun.desk.text import Text
from mesogun.treatment import Observer

T = TypeVar("T")


class Desk(Protocol):
    """Asks, tells and shows; each question waits for its answer.

    A person who breaks off instead of answering, or while the gun is followed, raises
    `KeyboardInterrupt`.
    """

    @property
    def attended(self) -> bool:
        """Whether there is a person to ask; without one, nothing is asked."""
        ...

    @property
    def is_read(self) -> bool:
        """Whether somebody reads along."""
        ...

    def tell(self, line: str) -> None:
        """Tell something that is no result, such as a warning."""
        ...

    def show(self, text: Text) -> None:
        """Show lines and tables."""
        ...

    def confirmed(self, question: str) -> bool:
        """Ask for a yes; anything else is a no."""
        ...

    def yes_or_no(self, question: str) -> bool:
        """Ask until the answer is yes or no: what is recorded must not be a guess."""
        ...

    def choose(self, question: str, names: Sequence[str]) -> int:
        """Ask which of `names` it is, and return its place, from 0; there is no default."""
        ...

    def ask(self, question: str, read: Callable[[str], T]) -> T:
        """Ask until `read` accepts the answer; the `UsageError` that it raises is told."""
        ...

    def follow(self, gun: str, hands: Hands) -> AbstractContextManager[Observer]:
        """Show a gun, and let keys act, as long as the `with` block lasts.

        Args:
            gun: which one it is, in words.
            hands: what keys do.
        """
        ...
