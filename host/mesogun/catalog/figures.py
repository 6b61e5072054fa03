"""Figures of the catalog: a number or a range never stands without the source that it rests on."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class Entry(BaseModel):
    """Base of everything in the catalog: frozen, strict, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Source(Entry):
    """Where figures come from.

    Attributes:
        id: what a figure's `source` says.
        title: how a message or a report names it.
        address: where it can be read, empty if it has no public address.
        read: how much of it was seen: `text`, `table`, `excerpt`, `background` or `none`.
    """

    id: str
    title: str
    address: str = ""
    read: str


class Figure(Entry):
    """One number in the unit of its key.

    Attributes:
        value: the number in use.
        source: id of its source.
        note: what a reader should know about it.
        others: what other sources say.
    """

    value: float
    source: str
    note: str = ""
    others: tuple["Figure", ...] = ()

    @property
    def span(self) -> tuple[float, float]:
        """Smallest and largest value over all sources."""
        values = [self.value, *(other.value for other in self.others)]
        return min(values), max(values)


class Lengths(Entry):
    """Needle lengths that one source names, millimetres."""

    values: tuple[float, ...]
    source: str


class Range(Entry):
    """A closed range in the unit of its key; `others` are the ranges that other sources give."""

    low: float
    high: float
    source: str
    note: str = ""
    others: tuple["Range", ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"range {self.low} to {self.high} is upside down")
        return self

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest end over all sources."""
        ranges = [self, *self.others]
        return min(each.low for each in ranges), max(each.high for each in ranges)


class Bounds(Entry):
    """What is usual, and what is the most that is accepted (R02).

    Attributes:
        usual: outside it a program needs an explicit confirmation.
        hard: outside it a program is refused.
    """

    usual: Range
    hard: Range

    @model_validator(mode="after")
    def _nested(self) -> Self:
        if self.usual.low not in self.hard or self.usual.high not in self.hard:
            raise ValueError("the usual range reaches beyond the hard one")
        return self
