"""A question on the screen, and what its answer may be."""

from dataclasses import dataclass
from enum import Enum, auto

from mesogun.words import _


class Kind(Enum):
    """What is to be answered."""

    YES_NO = auto()
    """A yes or a no, nothing else."""
    SURE = auto()
    """A yes; anything else is a no."""
    CHOICE = auto()
    """One of several names."""
    TEXT = auto()
    """A line."""


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        kind: of its answer.
        text: in words.
        names: to choose from.
    """

    kind: Kind
    text: str
    names: tuple[str, ...] = ()

    @property
    def wants_key(self) -> bool:
        """Whether one key answers it."""
        return self.kind in (Kind.YES_NO, Kind.SURE)

    def in_words(self, answer: bool | int | str) -> str:
        """An answer as it is shown."""
        if self.wants_key:
            return _("yes") if answer else _("no")
        return self.names[int(answer)] if self.kind is Kind.CHOICE else str(answer)


def yes_key() -> str:
    """The key that says yes in the language that is spoken."""
    return _("y, yes").split(", ")[0]


def no_key() -> str:
    """The key that says no."""
    return _("n, no").split(", ")[0]
