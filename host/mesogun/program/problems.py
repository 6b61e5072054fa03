"""What is wrong with a program, and where."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mesogun.errors import ProgramError
from mesogun.program.locate import Path
from mesogun.words import _

_SHOWN = 40
"""Longer values are cut in a message."""

GIVEN = 0
"""Line of a key that was given with the command and not by the file."""


@dataclass(frozen=True)
class Origin:
    """Where a program comes from.

    Attributes:
        label: name of the file, or of the treatment or technique.
        lines: line of each key, empty if there is no file.
    """

    label: str
    lines: Mapping[Path, int] = field(default_factory=dict[Path, int])

    def where(self, path: Path) -> str:
        """The place of a key, or of the nearest table around it, in the words of a message."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line == GIVEN:
                return _("{name}: given with the command").format(name=self.label)
            if line is not None:
                return f"{self.label}:{line}"
        if len(path) > 1 and path[0] == "step":
            return _("{name}: step {number}").format(name=self.label, number=int(path[1]) + 1)
        return self.label


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        path: the key that it is about.
        text: key, value, bound, source of the bound and what to do.
        hard: refused if True; else unusual, to be confirmed (R02).
        where: file and line, empty until it is placed.
    """

    path: Path
    text: str
    hard: bool = True
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class InvalidProgram(ProgramError):
    """A program breaks hard bounds or is not a program; one line for each problem.

    Attributes:
        problems: all of them, soft ones too.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems if problem.hard))


def placed(problems: Iterable[Problem], origin: Origin) -> tuple[Problem, ...]:
    """The problems with their places, in the order of the file."""

    def order(problem: Problem) -> tuple[int, str]:
        for length in range(len(problem.path), -1, -1):
            if problem.path[:length] in origin.lines:
                return origin.lines[problem.path[:length]], str(problem.path)
        return 0, ""

    found = sorted(problems, key=order)
    return tuple(replace(each, where=origin.where(each.path)) for each in found)


def show(value: object) -> str:
    """A value as a program file would spell it, cut to a readable length."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value[:_SHOWN] + ("..." if len(value) > _SHOWN else ""))
    if isinstance(value, int) and abs(value) > 10**18:
        return _("a number of more than 18 digits")  # Python refuses to print the largest ones
    if isinstance(value, Mapping):
        return _("a table")
    if isinstance(value, list | tuple):
        return _("a list")
    return str(value)[:_SHOWN]
