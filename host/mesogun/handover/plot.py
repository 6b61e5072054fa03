"""Axes for the pictures of a report, and their drawing as SVG: one for printed page and browser.

Lengths are points of 1/72 inch on a page of A4 or Letter. Shapes differ as well as colours.
"""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any, Final, cast
from xml.etree.ElementTree import Element, fromstring

from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mesogun.words import number

WIDTH: Final = 480
_POINTS_PER_INCH: Final = 72
_LETTER: Final = 8
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 18, 30
"""Room beside the axes; the same in every picture, so that shots stand below each other."""
_DIGITS: Final = 6
"""Behind the decimal sign of a mark: what a mark has beyond is rounding noise."""
_PLAIN: Final[dict[Any, Any]] = {
    # What a browser has in place of this font is as wide, and the words stay words for a reader.
    "svg.fonttype": "none",
    # The same picture has the same names in it each time.
    "svg.hashsalt": "mesogun",
    "font.sans-serif": ["DejaVu Sans"],
}
_REFERENCE: Final = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))

Point = tuple[float, float]


def new_axes(x: str, y: str, height: float = 130) -> Axes:
    """Return empty axes of a picture's size.

    Args:
        x: quantity and unit from left to right.
        y: the same from below to above; written on top, where nobody has to turn the head.
        height: of the whole picture.
    """
    figure = Figure((WIDTH / _POINTS_PER_INCH, height / _POINTS_PER_INCH))
    figure.subplots_adjust(_LEFT / WIDTH, _BOTTOM / height, 1 - _RIGHT / WIDTH, 1 - _TOP / height)
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.set_xlabel(x, fontsize=_LETTER)
    axes.set_title(y, fontsize=_LETTER, loc="left", x=-(_LEFT - 16) / (WIDTH - _LEFT - _RIGHT))
    axes.tick_params(labelsize=_LETTER, bottom=False, left=False, pad=2)
    axes.spines[:].set_visible(False)
    axes.grid(color="#d5d8dc", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_mark))
    return axes


def bars(axes: Axes, points: Iterable[Point], width: float, **style: Any) -> None:
    """Draw a bar from zero to each point, all of them as one shape.

    Args:
        axes: to draw on.
        points: the upper ends.
        width: of each bar, in the unit of x.
        style: as of `Axes.stairs`.
    """
    edges: list[float] = []
    values: list[float] = []
    for x, y in points:
        edges += [x - width / 2, x + width / 2]
        values += [y, float("nan")]
    if edges:
        axes.stairs(values[:-1], edges, **style)


def marks(axes: Axes, points: Sequence[Point], shape: str, colour: str) -> None:
    """Draw a sign at each point."""
    if points:
        axes.plot(*zip(*points, strict=True), shape, color=colour, markersize=5, clip_on=False)


def to_svg(axes: Axes, name: str) -> Element:
    """Return the picture as the root of an SVG, without a namespace.

    Args:
        axes: what was drawn.
        name: tells what is defined in this picture from what is in the others of a page.
    """
    text = StringIO()
    with rc_context(_PLAIN):
        # These axes are never those of a figure within a figure.
        cast(Figure, axes.figure).savefig(text, format="svg", metadata=_NO_METADATA)
    root = fromstring(_REFERENCE.sub(f"{name}-", text.getvalue()))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    return root


def _mark(value: float, _position: int | None) -> str:
    return number(value, _DIGITS, trim=True)
