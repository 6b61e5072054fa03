"""Questions to a person at a terminal; asked on stderr, so that stdout holds the result alone."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from mesogun.errors import UsageError
from mesogun.words import _

T = TypeVar("T")


def is_interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> bool:
    """Ask for a yes; anything else is a no."""
    return _is_yes(_line(f"{question} " + _("[y/N]") + " "))


def yes_or_no(question: str) -> bool:
    """Ask until the answer is yes or no: what is recorded must not be a guess."""
    while True:
        answer = _line(f"{question} " + _("[y/n]") + " ")
        if _is_yes(answer):
            return True
        if answer in {"n", "no", *_("n, no").split(", ")}:
            return False
        _tell(_("Please answer y for yes or n for no."))


def choose(question: str, names: Sequence[str]) -> int:
    """Ask which of `names` it is, by its number; there is no default.

    Returns:
        The position, from 0.
    """
    _tell(question)
    for number, name in enumerate(names, 1):
        _tell(f"  {number:2}  {name}")
    while True:
        answer = _line(_("Number:") + " ")
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return int(answer) - 1
        _tell(_("Please type a number from 1 to {most}.").format(most=len(names)))


def ask(question: str, read: Callable[[str], T]) -> T:
    """Ask until `read` accepts the answer; what it refuses is told.

    Args:
        question: with what an empty answer means.
        read: makes a value of the answer, or raises `UsageError`.
    """
    while True:
        try:
            return read(_line(f"{question}: "))
        except UsageError as error:
            _tell(str(error))


def _is_yes(answer: str) -> bool:
    # What yes is called stands in the catalogue too: `o` and `oui` in French.
    return answer in {"y", "yes", *_("y, yes").split(", ")}


def _line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise UsageError("The terminal was closed before the question was answered. Start again.")
    return answer.strip().lower()


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
