"""The one printer: what a command returns goes to stdout as text or as JSON, all else to stderr."""

import json
import os
import sys
from collections.abc import Iterator
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
    from rich.console import Console

    columns, rows = get_terminal_size()
    if not stream.isatty():
        columns = _UNBOUNDED_COLUMNS
    # With both given, rich believes them on every kind of terminal.
    console = Console(file=stream, markup=False, emoji=False, width=columns, height=rows)
    with console.capture() as folded:
        console.print(_rich(table, columns))
    return "\n".join(line.rstrip() for line in folded.get().splitlines())


def _rich(table: Table, columns: int) -> "RichTable":
    """The table without empty columns; where room is short, long cells give way first."""
    from rich.table import Table as RichTable

    made = RichTable(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=bool(table.headings)
    )
    headings = table.headings or [""] * max(map(len, table.rows), default=0)
    shown = [
        (heading, cells)
        for index, heading in enumerate(headings)
        if any(cells := [row[index] for row in table.rows])
    ]
    widths = [max(map(len, (heading, *cells))) for heading, cells in shown]
    fits = sum(min(width, _SHORT) + _GAP for width in widths) <= columns
    for index, (heading, _) in enumerate(shown):
        # The first column is what other commands take: it must never be broken.
        whole = index == 0 or (fits and widths[index] <= _SHORT)
        made.add_column(heading, overflow="fold", no_wrap=whole)
    for row in zip(*(cells for _, cells in shown), strict=True):
        made.add_row(*row)
    return made
