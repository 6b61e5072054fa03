"""Text for people as what the screen can draw."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text as Line

from mesogun.desk.text import Table, Text
from mesogun.handover.document import (
    Code,
    Document,
    Facts,
    Lines,
    Notice,
    Part,
    Picture,
    Points,
)
from mesogun.handover.document import Table as Figures


def drawn(text: Text) -> RenderableType:
    """Lines and tables."""
    return Group(*(_table(each) if isinstance(each, Table) else Line(each) for each in text))


def paper(document: Document) -> RenderableType:
    """A report, without what needs paper: pictures are told in a sentence, signatures left out."""
    parts: list[RenderableType] = []
    for section in document.sections:
        if section.title:
            parts += ["", Line(section.title.upper(), style="bold")]
        for part in section.parts:
            parts += _part(part)
    return Group(*parts)


def _part(part: Part) -> Iterator[RenderableType]:
    match part:
        case Notice():
            yield Line(f"{'' if part.tone == 'good' else '!! '}{part.title}", style="bold")
            yield from _points(part.details)
        case Facts():
            yield _grid(part.rows)
        case Figures():
            yield _grid(part.rows, part.headings, part.right)
        case Points():
            yield from _points(part.items)
        case Picture():
            yield Line(f"{part.title}: {part.alternative}")
        case Lines():
            pass
        case Code() | _:
            yield Line(part.text)


def _points(items: Sequence[str]) -> Iterator[RenderableType]:
    for item in items:
        yield Padding(Line(f"- {item}"), (0, 0, 0, 2))


def _table(table: Table) -> RichTable:
    return _grid(table.rows, table.headings)


def _grid(
    rows: Sequence[Sequence[str]], headings: Sequence[str] = (), right: Sequence[int] = ()
) -> RichTable:
    made = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=bool(headings))
    for column in range(max(map(len, [*rows, headings]), default=0)):
        made.add_column(
            headings[column] if headings else "",
            justify="right" if column in right else "left",
            no_wrap=column == 0 and not headings,
        )
    for row in rows:
        made.add_row(*(Line(cell) for cell in row))
    return made
