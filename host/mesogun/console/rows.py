"""A page whose middle is a table of which one row is marked."""

from collections.abc import Sequence
from operator import gt
from typing import Final, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from mesogun.console.page import Page

T = TypeVar("T")

_GAP: Final = 2
"""Columns of the screen between two of a table."""
_BESIDE: Final = 3
"""Those of the sign that marks a row, and of the margins."""


class RowsPage(Page, Generic[T]):
    """Shows things as rows; the marked one is what keys act on."""

    def __init__(self) -> None:
        """No rows yet."""
        super().__init__()
        self._things: Sequence[T] = ()
        self._columns: list[tuple[str, ...]] = []
        self._marked_row: int | None = None
        self._table: DataTable[Text] = DataTable(cursor_type="row", id="rows", zebra_stripes=False)

    def body(self) -> ComposeResult:
        """The table."""
        yield self._table

    def on_mount(self) -> None:
        """Let the table have the arrows."""
        self._table.focus()

    @property
    def marked(self) -> T | None:
        """The thing whose row is marked, None without rows."""
        row = self._table.cursor_row
        return self._things[row] if row < len(self._things) else None

    def fill(
        self, headings: Sequence[str], things: Sequence[T], rows: Sequence[Sequence[str]]
    ) -> None:
        """Show `things`, each as a row; the mark stays where it is.

        A column without anything in it is left out.
        """
        self._things = things
        self._columns = [
            column for column in zip(headings, *rows, strict=True) if any(column[1:]) or not rows
        ]
        self._draw()

    def on_resize(self) -> None:
        """Use the columns of the screen as it is now."""
        if self._columns:
            self._draw()

    def _draw(self) -> None:
        row = self._table.cursor_row
        self._table.clear(columns=True)
        self._marked_row = None
        room = self._application.size.width - _BESIDE - _GAP * (1 + len(self._columns))
        self._table.add_column(" ", width=1)
        for (heading, *_cells), width in zip(
            self._columns, _widths(self._columns, room), strict=True
        ):
            self._table.add_column(heading, width=width)
        for cells in zip(*(cells for _heading, *cells in self._columns), strict=True):
            # As high as the longest cell needs, once its words are wrapped.
            self._table.add_row(Text(" "), *(Text(cell) for cell in cells), height=None)
        self._table.move_cursor(row=min(row, max(len(self._things) - 1, 0)))

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Act on the marked row."""
        self.choose()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Mark the row by a sign, since a colour may not be seen."""
        if self._marked_row is not None:
            self._table.update_cell_at(Coordinate(self._marked_row, 0), Text(" "))
        self._marked_row = event.cursor_row if self._things else None
        if self._marked_row is not None:
            self._table.update_cell_at(Coordinate(self._marked_row, 0), Text(">"))

    def choose(self) -> None:
        """What Enter does."""


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Letters that each column gets: the widest gives way first, and a word is torn last of all."""
    widths = [max(map(len, column)) for column in columns]
    # A heading has one line, a cell as many as it needs.
    words = [
        max(len(each) for each in (heading, *(word for cell in cells for word in cell.split())))
        for heading, *cells in columns
    ]
    for least in (words, [1] * len(columns)):
        while sum(widths) > room and any(map(gt, widths, least)):
            _width, widest = max(
                (width, place) for place, width in enumerate(widths) if width > least[place]
            )
            widths[widest] -= 1
    return widths
