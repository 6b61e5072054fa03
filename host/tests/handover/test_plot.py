"""A drawing stays within its frame and has round marks, whatever it is given."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.handover.plot import WIDTH, Axis, Plot

HEIGHT = 130
PLACE = re.compile(r"[ML](-?[\d.]+) (-?[\d.]+)")


def say(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


@given(
    low=st.floats(-1e6, 1e6),
    span=st.floats(1e-3, 1e7),
    about=st.integers(2, 12),
    whole=st.booleans(),
)
def test_marks_are_round_evenly_spaced_and_within(
    low: float, span: float, about: int, whole: bool
) -> None:
    marks = Axis("", low, low + span, say, whole=whole).marks(about)
    values = [value for value, _words in marks]
    assert len(values) <= about + 1
    assert len({words for _value, words in marks}) == len(marks)
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value in values)
    if len(values) > 1:
        step = values[1] - values[0]
        assert all(abs(b - a - step) <= 1e-6 * step + 1e-6 for a, b in pairwise(values))
        assert f"{step:.2e}"[0] in "125" or f"{step:.2e}".startswith("9.99")
    if whole:
        assert all(value == round(value) for value in values)
        assert all(words.lstrip("-").isdigit() for _value, words in marks)


values = st.lists(st.floats(0, 100), min_size=1, max_size=50)


@given(values=values)
def test_nothing_is_drawn_outside_the_frame(values: list[float]) -> None:
    plot = Plot(Axis("x", 0, len(values), say), Axis("y", 0, 100, say), HEIGHT)
    points = [(n + 0.5, value) for n, value in enumerate(values)]
    xs = [x for x, _y in points]
    plot.line(points, "#000")
    plot.band(xs, [0] * len(xs), values, "#000")
    plot.stems(points, "#000", 1)
    plot.stems(points, "#000", 1, hollow=True)
    plot.levels(points, "#000", 1)
    plot.crosses(points, "#000")
    plot.moments(xs, "#000")
    plot.spans(pairwise(xs), "#000")
    plot.level(100, "#000")
    for path in plot.svg.iter("path"):
        for x, y in PLACE.findall(path.attrib["d"]):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
    for text in plot.svg.iter("text"):
        assert 0 <= float(text.attrib["x"]) <= WIDTH
        assert 0 < float(text.attrib["y"]) < HEIGHT


def test_what_is_empty_is_not_drawn() -> None:
    plot = Plot(Axis("x", 0, 1, say), Axis("y", 0, 1, say))
    before = len(list(plot.svg))
    plot.stems([], "#000", 1)
    plot.crosses([], "#000")
    plot.moments([], "#000")
    plot.spans([], "#000")
    assert len(list(plot.svg)) == before


def test_a_greater_value_is_drawn_higher_and_further_right() -> None:
    plot = Plot(Axis("x", 0, 10, say), Axis("y", 0, 10, say))
    plot.line([(1, 1), (9, 9)], "#000")
    [(x, y), (further, higher)] = [
        (float(a), float(b)) for a, b in PLACE.findall(list(plot.svg)[-1].attrib["d"])
    ]
    assert further > x
    assert higher < y


@pytest.mark.parametrize("count", [1, 3])
def test_words_stand_above_their_point(count: int) -> None:
    plot = Plot(Axis("x", 0, 10, say), Axis("y", 0, 10, say))
    plot.words((n, 5.0, f"{n} ul") for n in range(count))
    assert [each.text for each in list(plot.svg)[-count:]] == [f"{n} ul" for n in range(count)]
