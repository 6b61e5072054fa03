"""A report as data, before it is a file: sections of tables, texts and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

Tone = Literal["good", "note", "bad"]
"""How a notice is drawn; its first word says the same, since a colour may not be seen."""


@dataclass(frozen=True)
class Notice:
    """A sentence in a frame, with what stands behind it."""

    tone: Tone
    title: str
    details: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows under headings; columns of `right` hold figures."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()

    @property
    def wide(self) -> int:
        """The column with the longest text: it takes what the others leave."""
        longest = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        return longest.index(max(longest))


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Signs that are compared one by one, such as a hash; a space lets a line break."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A drawing and what it shows, in words for those who do not see it.

    Attributes:
        title: above it.
        svg: root element, with a `viewBox` and no size.
        caption: below it.
        alternative: the same in a sentence.
    """

    title: str
    svg: Element
    caption: str
    alternative: str


@dataclass(frozen=True)
class Lines:
    """Places to write on with a pen."""

    labels: Sequence[str]


Part = Notice | Facts | Table | Text | Points | Code | Picture | Lines


@dataclass(frozen=True)
class Section:
    """Parts under a title.

    Attributes:
        title: empty for none.
        parts: in order.
        own_page: it begins a page, since it is handed out.
        whole: it is short and stays on one page.
    """

    title: str
    parts: Sequence[Part]
    own_page: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        language: code of its language.
        title: on the first page.
        subtitle: below it.
        running: on every page: what it belongs to.
        warning: on every page if no page may be read without it, empty otherwise.
        made: when it was made, in words.
        sections: in order; the first has an empty title.
    """

    language: str
    title: str
    subtitle: str
    running: str
    warning: str
    made: str
    sections: Sequence[Section]
