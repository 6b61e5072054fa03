"""The catalog as tables with numbered sources, and as data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from mesogun import catalog
from mesogun.catalog import Bounds, Figure, Range
from mesogun.catalog.figures import Entry, Lengths
from mesogun.catalog.models import CoursePhase
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
        """A range with its source, and what other sources say."""
        return "; ".join(self.mark(_plain(each), each.source) for each in (figure, *figure.others))

    def bounds(self, bounds: Bounds | None) -> str:
        """The usual range and the hard one, and what other sources say."""
        if bounds is None:
            return ""
        usual, hard = bounds.usual, bounds.hard
        own = self.mark(f"{_plain(usual)} ({_plain(hard)})", usual.source, hard.source)
        return "; ".join([own, *(self.mark(_plain(each), each.source) for each in usual.others)])

    def figure(self, figure: Figure) -> str:
        """A number with its source, and what other sources say."""
        return "; ".join(
            self.mark(f"{each.value:g}", each.source) for each in (figure, *figure.others)
        )

    def phase(self, phase: CoursePhase) -> str:
        """Sessions and their interval with their source, and what other sources say."""
        found: list[str] = []
        for each in (phase, *phase.others):
            how_many = f"{each.sessions} sessions" if each.sessions else "then"
            found.append(self.mark(f"{how_many} every {each.interval_days} days", each.source))
        return "; ".join(found)

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


def _plain(figure: Range) -> str:
    one = figure.low == figure.high
    return f"{figure.low:g}" if one else f"{figure.low:g} to {figure.high:g}"


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
            notes.span(entry.spacing_mm) if entry.spacing_mm else "",
            notes.span(entry.volume_ul),
            f"{setting.volume_ul:g}",
            ", ".join(notes.phase(each) for each in entry.course),
            f"{setting.syringe}, {setting.needle}",
        ]

    return _answer(
        catalog.treatments(),
        (
            "id",
            "treatment",
            "technique",
            "depth mm",
            "apart mm",
            "volume ul",
            "set ul",
            "course",
            "syringe, needle",
        ),
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
            notes.span(entry.angle_deg) if entry.angle_deg else "",
            notes.span(entry.spacing_mm) if entry.spacing_mm else "",
            notes.bounds(shots.dose_ul) if shots else "flow",
            pace,
            ", ".join(entry.deliveries),
            notes.lengths(entry.needle_lengths_mm),
        ]

    return _answer(
        catalog.techniques(),
        (
            "id",
            "technique",
            "trigger",
            "depth mm",
            "angle deg",
            "apart mm",
            "dose ul",
            "pace",
            "delivery",
            "needle mm",
        ),
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


def care() -> Answer:
    """Materials, questions before a treatment, and advice around it."""
    notes, found = _Notes(), catalog.care()
    rows: list[tuple[str, str, str]] = []
    for name in ("material", "question", "before", "expect", "after"):
        for each in getattr(found, name):
            about = f" ({', '.join(each.treatments)})" if each.treatments else ""
            rows.append((each.id, name, notes.mark(each.words, each.source) + about))
    data = [
        {"group": name, **_data(each), "words": each.words}
        for name in ("material", "question", "before", "expect", "after")
        for each in getattr(found, name)
    ]
    return Answer(data, [Table(rows, ("id", "when", "text")), *notes.lines()])


def layers() -> Answer:
    """All depth classes."""

    def row(entry: catalog.Layer, notes: _Notes) -> list[str]:
        used = [each.id for each in catalog.techniques().values() if entry.id in each.layers]
        return [entry.id, entry.title, notes.span(entry.depth_mm), ", ".join(used)]

    return _answer(catalog.layers(), ("id", "layer", "depth mm", "techniques"), row)


def sources() -> Answer:
    """All sources."""
    found = catalog.sources().values()
    rows = [(each.id, each.title, each.read, each.address) for each in found]
    return Answer(
        [_data(each) for each in found], [Table(rows, ("id", "source", "seen", "address"))]
    )
