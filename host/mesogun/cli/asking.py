"""Questions to a person at a terminal; asked on stderr, so that stdout holds the result alone."""

import sys
from collections.abc import Callable, Sequence
from shutil import get_terminal_size
from typing import TypeVar

from mesogun.cli.printer import tell, wrapped
from mesogun.errors import UsageError
from mesogun.words import _

T = TypeVar("T")

_ANSWER = 6
"""Letters that an answer takes behind its prompt."""


def is_interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> bool:
    """Ask for a yes; anything else is a no."""
    return _is_yes(_line(question, _("[y/N]")))


def yes_or_no(question: str) -> bool:
    """Ask until the answer is yes or no: what is recorded must not be a guess."""
    while True:
        answer = _line(question, _("[y/n]"))
        if _is_yes(answer):
            return True
        if answer in {"n", "no", *_("n, no").split(", ")}:
            return False
        tell(_("Please answer y for yes or n for no."))


def choose(question: str, names: Sequence[str]) -> int:
    """Ask which of `names` it is, by its number; there is no default.

    Returns:
        The position, from 0.
    """
    tell(question)
    for number, name in enumerate(names, 1):
        tell(f"  {number:2}  {name}")
    while True:
        answer = _line("", _("Number:"))
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return int(answer) - 1
        tell(_("Please type a number from 1 to {most}.").format(most=len(names)))


def ask(question: str, read: Callable[[str], T]) -> T:
    """Ask until `read` accepts the answer; what it refuses is told.

    Args:
        question: with what an empty answer means.
        read: makes a value of the answer, or raises `UsageError`.
    """
    while True:
        try:
            return read(_line(question, ":"))
        except UsageError as error:
            tell(str(error))


def _is_yes(answer: str) -> bool:
    # What yes is called stands in the catalogue too: `o` and `oui` in French.
    return answer in {"y", "yes", *_("y, yes").split(", ")}


def _line(question: str, prompt: str) -> str:
    """Ask, the prompt on a line of its own where the question leaves no room for an answer."""
    room = get_terminal_size().columns - len(prompt) - _ANSWER
    gap = "" if not question or prompt == ":" else " " if len(question) <= room else "\n"
    sys.stderr.write(wrapped(question, sys.stderr) + gap + prompt + " ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise UsageError(
            _("The terminal was closed before the question was answered. Start again.")
        )
    return answer.strip().lower()
