"""A picture of a report is the same each time, fits its frame, and is one with others on a page."""

import re
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesogun.handover import plot
from mesogun.words import speak

PLACE = re.compile(r"[ML] (-?[\d.]+) (-?[\d.]+)")


def drawn(points: list[plot.Point], name: str = "dose", height: float = 130) -> Element:
    axes = plot.new_axes("shot", "dose, ul", height)
    plot.bars(axes, points, 0.7, fill=True, color="#1f5f8b")
    plot.marks(axes, points, "x", "#b03020")
    return plot.to_svg(axes, name)


def words(svg: Element) -> list[str]:
    return [each.text or "" for each in svg.iter("text")]


def names(svg: Element) -> set[str]:
    return {each.attrib["id"] for each in svg.iter() if "id" in each.attrib}


def bar_corners(svg: Element) -> list[plot.Point]:
    [path] = [each for each in svg.iter("path") if "fill: #1f5f8b" in each.get("style", "")]
    return [(float(x), float(y)) for x, y in PLACE.findall(path.attrib["d"])]


@settings(max_examples=15)
@given(values=st.lists(st.floats(0, 1e4), min_size=1, max_size=50))
def test_nothing_is_drawn_outside_the_frame(values: list[float]) -> None:
    svg = drawn([(n, value) for n, value in enumerate(values)])
    assert svg.get("viewBox") == f"0 0 {plot.WIDTH} 130"
    for path in svg.iter("path"):
        if "id" not in path.attrib:
            for x, y in PLACE.findall(path.attrib["d"]):
                assert 0 <= float(x) <= plot.WIDTH
                assert 0 <= float(y) <= 130
    for text in svg.iter("text"):
        assert 0 <= float(text.attrib["x"]) <= plot.WIDTH
        assert 0 < float(text.attrib["y"]) < 130


def test_bars_are_one_shape_and_a_greater_value_is_higher_and_further_right() -> None:
    corners = bar_corners(drawn([(1, 1.0), (2, 3.0)]))
    assert len(corners) == 8
    bottom = max(y for _x, y in corners)
    assert corners[0][1] == corners[3][1] == corners[7][1] == bottom
    assert corners[1][1] > corners[5][1]
    assert corners[0][0] < corners[3][0] < corners[4][0]


def test_what_is_empty_is_not_drawn() -> None:
    bare = plot.to_svg(plot.new_axes("shot", "dose, ul"), "dose")
    assert len(list(drawn([]).iter())) == len(list(bare.iter()))


@pytest.mark.parametrize(("language", "half"), [("en", "0.5"), ("fr", "0,5")])
def test_marks_are_words_in_the_figures_of_the_language(language: str, half: str) -> None:
    with speak(language):
        found = words(drawn([(1, 0.0), (2, 1.0)]))
    assert half in found
    assert {"shot", "dose, ul"} <= set(found)


def test_a_picture_is_the_same_each_time_and_says_no_date() -> None:
    one, two = (tostring(drawn([(1, 2.0), (2, 1.0)])) for _ in range(2))
    assert one == two
    assert not list(drawn([(1, 2.0)]).iter("metadata"))


def test_two_pictures_of_a_page_define_nothing_twice() -> None:
    one, two = drawn([(1, 2.0)], "dose"), drawn([(1, 2.0)], "pressure")
    assert names(one)
    assert not names(one) & names(two)
    for svg in (one, two):
        text = tostring(svg, encoding="unicode")
        used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
        assert {a or b for a, b in used} <= names(svg)
        assert used
