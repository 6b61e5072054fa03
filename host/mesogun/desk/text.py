"""Text for people: lines, and tables whose layout is the screen's."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows under headings; without headings, names and values."""

    rows: Sequence[Sequence[str]]
    headings: Sequence[str] = ()


Text = Sequence[str | Table]
