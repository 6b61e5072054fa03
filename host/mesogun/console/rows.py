"""A page whose middle is a table of which one row is marked."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from mesogun.console.page import Page

T = TypeVar("T")


class RowsPage(Page, Generic[T]):
    """Shows things as rows; the marked one is what keys act on."""

    def __init__(self) -> None:
        """No rows yet."""
        super().__init__()
        self._things: Sequence[T] = ()
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
        """Show `things`, each as a row; the mark stays where it is."""
        row = self._table.cursor_row
        self._things = things
        self._table.clear(columns=True)
        self._marked_row = None
        self._table.add_columns(" ", *headings)
        for cells in rows:
            self._table.add_row(Text(" "), *(Text(cell) for cell in cells))
        self._table.move_cursor(row=min(row, max(len(things) - 1, 0)))

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
