"""The catalog as tables with numbered sources, and as data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from mesogun import catalog
from mesogun.catalog import Bounds, Figure, Range
from mesogun.catalog.figures import Entry, Lengths
from mesogun.cli.printer import Answer, Table

E = TypeVar("E", bound=Entry)


class _Notes:
    """Numbers the sources in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, text: str, *sources: str) -> str:
        """`text` with the numbers of its sources."""
        numbers = [self._numbers.setdefault(each, len(self._numbers) + 1) for each in sources]
        return f"{text} [{','.join(map(str, dict.fromkeys(numbers)))}]"

    def span(self, figure: Range) -> str:
        """A range with its source."""
        one = figure.low == figure.high
        text = f"{figure.low:g}" if one else f"{figure.low:g} to {figure.high:g}"
        return self.mark(text, figure.source)

    def bounds(self, bounds: Bounds | None) -> str:
        """The usual range and the hard one."""
        if bounds is None:
            return ""
        usual, hard = bounds.usual, bounds.hard
        text = f"{usual.low:g} to {usual.high:g} ({hard.low:g} to {hard.high:g})"
        return self.mark(text, usual.source, hard.source)

    def figure(self, figure: Figure) -> str:
        """A number with its source."""
        return self.mark(f"{figure.value:g}", figure.source)

    def lengths(self, lengths: Lengths) -> str:
        """Needle lengths with their source."""
        return self.mark(", ".join(f"{each:g}" for each in lengths.values), lengths.source)

    def lines(self) -> list[str]:
        """The sources by number."""
        titles = [
            f"  [{number}] {source.title}{f', {source.address}' if source.address else ''}"
            for source, number in (
                (catalog.get_source(name), number) for name, number in self._numbers.items()
            )
        ]
        return ["", "Sources:", *titles]


def _answer(
    entries: Mapping[str, E],
    headings: Sequence[str],
    row: Callable[[E, _Notes], Sequence[str]],
    explanation: str = "",
) -> Answer:
    notes = _Notes()
    rows = [row(entry, notes) for entry in entries.values()]
    text = [Table(rows, headings), *([explanation] if explanation else []), *notes.lines()]
    return Answer([_data(entry) for entry in entries.values()], text)


def _data(entry: Entry) -> dict[str, Any]:
    return entry.model_dump(mode="json", exclude_none=True)


def treatments() -> Answer:
    """All treatments."""

    def row(entry: catalog.Treatment, notes: _Notes) -> list[str]:
        setting = entry.setting
        return [
            entry.id,
            entry.title,
            entry.technique,
            notes.span(entry.depth_mm),
            notes.span(entry.volume_ul),
            f"{setting.volume_ul:g}",
            f"{setting.syringe}, {setting.needle}",
        ]

    return _answer(
        catalog.treatments(),
        ("id", "treatment", "technique", "depth mm", "volume ul", "set ul", "syringe, needle"),
        row,
        "set: what `mesogun run ID` delivers.",
    )


def techniques() -> Answer:
    """All techniques."""

    def row(entry: catalog.Technique, notes: _Notes) -> list[str]:
        shots, flow = entry.shots, entry.flow
        pace = notes.bounds(shots.rate_hz) + " /s" if shots and shots.rate_hz else ""
        if shots and not pace:
            pace = "every " + notes.bounds(shots.interval_s) + " s" if shots.interval_s else ""
        if flow:
            pace = notes.bounds(flow.rate_ul_per_s) + " ul/s"
        return [
            entry.id,
            entry.title,
            entry.trigger,
            notes.bounds(entry.depth_mm),
            notes.bounds(shots.dose_ul) if shots else "flow",
            pace,
            notes.lengths(entry.needle_lengths_mm),
        ]

    return _answer(
        catalog.techniques(),
        ("id", "technique", "trigger", "depth mm", "dose ul", "pace", "needle mm"),
        row,
        "usual range (accepted range); outside the usual one a program must be confirmed.",
    )


def syringes() -> Answer:
    """All syringes."""

    def row(entry: catalog.Syringe, notes: _Notes) -> list[str]:
        return [
            entry.id,
            entry.title,
            notes.figure(entry.capacity_ml),
            notes.figure(entry.inner_diameter_mm),
            notes.figure(entry.dead_space_ul),
            f"{entry.pl_per_step() / 1000:.3f}",
        ]

    return _answer(
        catalog.syringes(),
        ("id", "syringe", "capacity ml", "inside mm", "dead space ul", "nl a step"),
        row,
        "nl a step: with the reference drive, from the inner diameter; weigh before use on people.",
    )


def needles() -> Answer:
    """All needles."""

    def row(entry: catalog.Needle, notes: _Notes) -> list[str]:
        return [
            entry.id,
            entry.title,
            notes.figure(entry.length_mm),
            notes.figure(entry.bore_mm),
            notes.figure(entry.outer_mm),
        ]

    return _answer(catalog.needles(), ("id", "needle", "length mm", "bore mm", "outside mm"), row)


def sources() -> Answer:
    """All sources."""
    found = catalog.sources().values()
    rows = [(each.id, each.title, each.read, each.address) for each in found]
    return Answer(
        [_data(each) for each in found], [Table(rows, ("id", "source", "seen", "address"))]
    )
