"""The one printer: what a command returns goes to stdout as text or as JSON, all else to stderr."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any, TextIO

from mesogun.cli.exit_codes import DONE
from mesogun.desk.text import Table, Text

if TYPE_CHECKING:
    from rich.table import Table as RichTable

_UNBOUNDED_COLUMNS = 10_000
"""Width of an output that is no terminal: no line of a table is ever folded there."""


_SHORT = 17
"""Letters of a cell that is not broken if it can be helped: a date with its time, a volume."""

_GAP = 2
"""Spaces between two columns."""


@dataclass(frozen=True)
class Answer:
    """What a command returns.

    Attributes:
        data: for `--json`: objects, arrays, texts and numbers; a list is of objects with an `id`.
            A function is called for it with `--json` alone.
        text: for people: lines and tables.
        exit_code: of the command; an error that ends it has its own.
    """

    data: Any
    text: Text
    exit_code: int = DONE


class Printer:
    """Writes answers; every command finds it as its context's object.

    Attributes:
        as_json: set by `--json`.
        debug: set by `--debug`: errors come with their traceback.
    """

    def __init__(self, debug: bool = False) -> None:
        """Write text until told otherwise."""
        self.as_json = False
        self.debug = debug

    def write(self, answer: Answer | Iterator[Answer]) -> int:
        """Write an answer, or each of a stream of them as it comes; return the exit code."""
        if isinstance(answer, Answer):
            self._write(answer, indent=2)
            return answer.exit_code
        code = DONE
        for each in answer:
            self._write(each, indent=None)
            sys.stdout.flush()
            code = each.exit_code
        return code

    def _write(self, answer: Answer, indent: int | None) -> None:
        if self.as_json:
            data = answer.data() if callable(answer.data) else answer.data
            sys.stdout.write(json.dumps(data, indent=indent) + "\n")
        else:
            show(answer.text)


def show(text: Text, *, stderr: bool = False) -> None:
    """Write lines and tables for people."""
    stream = sys.stderr if stderr else sys.stdout
    for part in text:
        folded = _aligned(part, stream) if isinstance(part, Table) else wrapped(part, stream)
        print(folded, file=stream)


def tell(line: str) -> None:
    """Write a line that is no result, such as a warning, to stderr.

    A treatment does not end because nobody reads its warnings any more.
    """
    try:
        show([line], stderr=True)
        sys.stderr.flush()
    except BrokenPipeError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let a stream that nobody reads end in nothing, also what is still buffered for it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def wrapped(text: str, stream: TextIO) -> str:
    """The text with its lines broken between words, if `stream` is a terminal."""
    if not stream.isatty():
        return text
    columns = get_terminal_size().columns
    return "\n".join(
        fill(line, columns, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def _aligned(table: Table, stream: TextIO) -> str:
    """The lines of a table, as wide as `stream` allows."""
    columns, rows = get_terminal_size()
    if not stream.isatty():
        columns = _UNBOUNDED_COLUMNS
    shown = _columns(table)
    if table.headings and sum(each.narrowest + _GAP for each in shown) > columns:
        return _entries(shown, columns)
    from rich.console import Console

    # With both given, rich believes them on every kind of terminal.
    console = Console(file=stream, markup=False, emoji=False, width=columns, height=rows)
    with console.capture() as folded:
        console.print(_rich(table, shown, columns))
    return "\n".join(line.rstrip() for line in folded.get().splitlines())


@dataclass(frozen=True)
class _Column:
    """A column that is not empty.

    Attributes:
        heading: empty in a table without headings.
        cells: from top to bottom.
        is_first: it holds what other commands take, and must never be broken.
    """

    heading: str
    cells: Sequence[str]
    is_first: bool

    @property
    def width(self) -> int:
        """Letters of the longest cell."""
        return max(map(len, (self.heading, *self.cells)))

    @property
    def narrowest(self) -> int:
        """Letters that it needs so that no word is torn."""
        if self.is_first:
            return self.width
        words = (word for cell in (self.heading, *self.cells) for word in cell.split())
        return max(map(len, words))


def _columns(table: Table) -> list[_Column]:
    headings = table.headings or [""] * max(map(len, table.rows), default=0)
    return [
        _Column(heading, cells, index == 0)
        for index, heading in enumerate(headings)
        if any(cells := [row[index] for row in table.rows])
    ]


def _entries(shown: Sequence[_Column], columns: int) -> str:
    """A table that is wider than the terminal: each row as a list of names and values."""
    first, *others = shown
    indent = " " * (2 * _GAP + max(len(each.heading) for each in others))
    lines: list[str] = []
    for index, name in enumerate(first.cells):
        lines += [""] if lines else []
        lines.append(name)
        for each in others:
            if each.cells[index]:
                head = f"{' ' * _GAP}{each.heading}".ljust(len(indent))
                lines.append(
                    fill(
                        each.cells[index],
                        max(columns, len(indent) + 1),
                        initial_indent=head,
                        subsequent_indent=indent,
                        break_on_hyphens=False,
                    )
                )
    return "\n".join(lines)


def _rich(table: Table, shown: Sequence[_Column], columns: int) -> "RichTable":
    """The table without empty columns; where room is short, long cells give way first."""
    from rich.table import Table as RichTable

    made = RichTable(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=bool(table.headings)
    )
    long = [each for each in shown if each.width > _SHORT]
    least = sum(each.narrowest if each in long else each.width for each in shown)
    fits = least + _GAP * len(shown) <= columns
    for each in shown:
        whole = each.is_first or (fits and each not in long)
        made.add_column(
            each.heading,
            overflow="fold",
            no_wrap=whole,
            min_width=each.narrowest if table.headings else None,
        )
    for row in zip(*(each.cells for each in shown), strict=True):
        made.add_row(*row)
    return made
