"""Draws figures over an axis as SVG: one drawing for the printed page and for the browser.

Lengths are points of 1/72 inch on a page of A4 or Letter. Attributes are written out, because the
typesetter reads no style sheets. Shapes differ as well as colours.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.etree.ElementTree import Element, SubElement

WIDTH = 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 18, 30
_LETTER = 8
_GRID = "#d5d8dc"
_TEXT = "#333333"
_NICE = (1, 2, 5, 10)


@dataclass(frozen=True)
class Axis:
    """One direction of a plot.

    Attributes:
        title: quantity and unit.
        low: smallest value that is drawn.
        high: largest value that is drawn; more than `low`.
        say: writes a value as the locale does.
        whole: only whole numbers are marked, such as those of shots.
    """

    title: str
    low: float
    high: float
    say: Callable[[float, int], str]
    whole: bool = False

    def marks(self, about: int) -> list[tuple[float, str]]:
        """Return about so many round values within the axis, with their words."""
        rough = (self.high - self.low) / about
        magnitude = 10.0 ** floor(log10(rough))
        step = next(nice for n in _NICE if (nice := n * magnitude) >= rough * 0.999)
        if self.whole:
            step = max(1.0, step)
        digits = max(0, -floor(log10(step) + 1e-9))
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [(n * step, self.say(n * step, digits)) for n in range(first, last + 1)]


class Plot:
    """A drawing that grows by its methods; values are those of the axes."""

    def __init__(self, x: Axis, y: Axis, height: float = 130) -> None:
        """Draw the axes."""
        self.svg = Element("svg", viewBox=f"0 0 {WIDTH} {height:g}")
        self._x, self._y = x, y
        self._bottom = height - _BOTTOM
        for value, words in y.marks(4):
            self._grid(f"M{_LEFT} {self._down(value):.2f}H{WIDTH - _RIGHT}")
            self._text(_LEFT - 4, self._down(value) + 3, words, anchor="end")
        for value, words in x.marks(8):
            self._grid(f"M{self._right(value):.2f} {self._bottom}v3")
            self._text(self._right(value), self._bottom + 12, words, anchor="middle")
        self._text(_LEFT - 4, _TOP - 9, y.title, anchor="start", shift=-30)
        self._text((_LEFT + WIDTH - _RIGHT) / 2, height - 6, x.title, anchor="middle")

    @property
    def width(self) -> float:
        """Of the part between the axes, points."""
        return WIDTH - _LEFT - _RIGHT

    def line(self, points: Iterable[tuple[float, float]], colour: str, width: float = 1.2) -> None:
        """Join points by straight lines."""
        self._path(f"M{self._joined(points)}", stroke=colour, stroke_width=f"{width:g}")

    def band(
        self, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], colour: str
    ) -> None:
        """Fill what lies between two lines."""
        there = zip(xs, highs, strict=True)
        back = zip(reversed(xs), reversed(lows), strict=True)
        self._path(f"M{self._joined([*there, *back])}z", fill=colour)

    def stems(
        self,
        points: Iterable[tuple[float, float]],
        colour: str,
        width: float,
        *,
        hollow: bool = False,
    ) -> None:
        """Draw a bar from zero to each point.

        Args:
            points: the upper ends.
            colour: of all.
            width: of each, points.
            hollow: draw their edges only.
        """
        half, zero = width / 2, self._down(max(self._y.low, 0))
        path = "".join(
            f"M{self._right(x) - half:.2f} {zero:.2f}V{self._down(y):.2f}h{width:.2f}V{zero:.2f}z"
            for x, y in points
        )
        if hollow:
            self._path(path, stroke=colour, stroke_width="0.8", stroke_dasharray="2 1.5")
        else:
            self._path(path, fill=colour)

    def levels(self, points: Iterable[tuple[float, float]], colour: str, width: float) -> None:
        """Draw a short line of `width` points at each point."""
        half = width / 2
        path = "".join(
            f"M{self._right(x) - half:.2f} {self._down(y):.2f}h{width:.2f}" for x, y in points
        )
        self._path(path, stroke=colour, stroke_width="1")

    def crosses(self, points: Iterable[tuple[float, float]], colour: str) -> None:
        """Draw a cross at each point."""
        path = "".join(
            f"M{self._right(x) - 2.5:.2f} {self._down(y) - 2.5:.2f}l5 5m-5 0l5 -5"
            for x, y in points
        )
        self._path(path, stroke=colour, stroke_width="1.2")

    def words(self, points: Iterable[tuple[float, float, str]]) -> None:
        """Write a word above each point."""
        for x, y, word in points:
            self._text(self._right(x), self._down(y) - 3, word, anchor="middle")

    def level(self, y: float, colour: str) -> None:
        """Draw a dashed line across the whole plot."""
        self._path(
            f"M{_LEFT} {self._down(y):.2f}H{WIDTH - _RIGHT}",
            stroke=colour,
            stroke_width="0.8",
            stroke_dasharray="4 2",
        )

    def spans(self, spans: Iterable[tuple[float, float]], colour: str) -> None:
        """Shade the whole height between two values of x."""
        edges = ((self._right(a), self._right(b)) for a, b in spans)
        path = "".join(f"M{a:.2f} {_TOP}H{b:.2f}V{self._bottom}H{a:.2f}z" for a, b in edges)
        self._path(path, fill=colour)

    def moments(self, xs: Iterable[float], colour: str) -> None:
        """Draw a dotted line over the whole height at each x, with a triangle on top."""
        found = list(xs)
        lines = "".join(f"M{self._right(x):.2f} {_TOP}V{self._bottom}" for x in found)
        self._path(lines, stroke=colour, stroke_width="1", stroke_dasharray="1 2")
        heads = "".join(f"M{self._right(x) - 3:.2f} {_TOP - 5}h6l-3 5z" for x in found)
        self._path(heads, fill=colour)

    def _right(self, x: float) -> float:
        return _LEFT + (x - self._x.low) / (self._x.high - self._x.low) * self.width

    def _down(self, y: float) -> float:
        share = (y - self._y.low) / (self._y.high - self._y.low)
        return self._bottom - share * (self._bottom - _TOP)

    def _joined(self, points: Iterable[tuple[float, float]]) -> str:
        return "L".join(f"{self._right(x):.2f} {self._down(y):.2f}" for x, y in points)

    def _grid(self, path: str) -> None:
        self._path(path, stroke=_GRID, stroke_width="0.6")

    def _path(self, path: str, fill: str = "none", **attributes: str) -> None:
        if path:
            given = {name.replace("_", "-"): value for name, value in attributes.items()}
            SubElement(self.svg, "path", {"d": path, "fill": fill, **given})

    def _text(self, x: float, y: float, words: str, *, anchor: str, shift: float = 0) -> None:
        attributes = {
            "x": f"{x + shift:.2f}",
            "y": f"{y:.2f}",
            "font-size": f"{_LETTER}",
            "fill": _TEXT,
            "text-anchor": anchor,
        }
        SubElement(self.svg, "text", attributes).text = words
