"""Writes a report as one HTML file that needs nothing else: style and pictures are in it."""

from collections.abc import Iterable
from functools import singledispatch
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from mesogun.handover.document import (
    Code,
    Document,
    Facts,
    Lines,
    Notice,
    Part,
    Picture,
    Points,
    Section,
    Table,
    Text,
)


def to_html(document: Document) -> str:
    """Return the report as the text of a file."""
    root = Element("html", lang=document.language)
    head = SubElement(root, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    # Nothing may be loaded or run, whatever text found its way into the record.
    SubElement(
        head,
        "meta",
        {
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )
    _add(head, "title", f"{document.title}, {document.running}")
    style = files("mesogun.handover").joinpath("report.css").read_text("utf-8")
    _add(head, "style", style + _on_each_page(document))
    body = SubElement(root, "body")
    running = SubElement(body, "header", {"class": "running"})
    _add(running, "span", document.running)
    if document.warning:
        _add(running, "strong", document.warning)
    _add(body, "h1", document.title)
    _add(body, "p", document.subtitle, "subtitle")
    for section in document.sections:
        _section(body, section)
    _add(body, "footer", document.made)
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _on_each_page(document: Document) -> str:
    """What a browser that knows margins writes on every page that it prints."""
    boxes = {
        "top-left": _quoted(document.running),
        "top-right": _quoted(document.warning),
        "bottom-left": _quoted(document.made),
        "bottom-right": 'counter(page) " / " counter(pages)',
    }
    rules = " ".join(f"@{place} {{ content: {content}; }}" for place, content in boxes.items())
    return f"@page {{ {rules} }}\n"


def _quoted(text: str) -> str:
    """A text within a style sheet; whatever is in it, nothing of it can end the text."""
    return '"' + "".join(each if each.isalnum() else f"\\{ord(each):x} " for each in text) + '"'


def _section(body: Element, section: Section) -> None:
    kinds = {"own-page": section.own_page, "whole": section.whole}
    place = SubElement(
        body, "section", {"class": " ".join(k for k, is_so in kinds.items() if is_so)}
    )
    if section.title:
        _add(place, "h2", section.title)
    for part in section.parts:
        _draw(part, place)


@singledispatch
def _draw(part: Part, place: Element) -> None:
    raise TypeError(f"a report has no way to write {part!r} into <{place.tag}>")


@_draw.register
def _notice(part: Notice, place: Element) -> None:
    frame = SubElement(place, "div", {"class": f"notice {part.tone}", "role": "note"})
    _add(frame, "strong", part.title)
    if part.details:
        _list(frame, part.details)


@_draw.register
def _facts(part: Facts, place: Element) -> None:
    pairs = SubElement(place, "dl")
    for name, value in part.rows:
        _add(pairs, "dt", name)
        _add(pairs, "dd", value)


@_draw.register
def _table(part: Table, place: Element) -> None:
    table = SubElement(SubElement(place, "div", {"class": "scroll"}), "table")
    head = SubElement(SubElement(table, "thead"), "tr")
    body = SubElement(table, "tbody")
    for index, heading in enumerate(part.headings):
        _add(head, "th", heading, "right" if index in part.right else "")
    for cells in part.rows:
        row = SubElement(body, "tr")
        for index, cell in enumerate(cells):
            _add(row, "td", cell, "right" if index in part.right else "")


@_draw.register
def _text(part: Text, place: Element) -> None:
    _add(place, "p", part.text)


@_draw.register
def _points(part: Points, place: Element) -> None:
    _list(place, part.items)


@_draw.register
def _code(part: Code, place: Element) -> None:
    _add(place, "code", part.text)


@_draw.register
def _picture(part: Picture, place: Element) -> None:
    figure = SubElement(place, "figure")
    _add(figure, "div", part.title, "title")
    part.svg.attrib |= {"role": "img", "aria-label": part.alternative}
    figure.append(part.svg)
    _add(figure, "figcaption", part.caption)


@_draw.register
def _lines(part: Lines, place: Element) -> None:
    lines = SubElement(place, "div", {"class": "lines"})
    for label in part.labels:
        _add(lines, "div", label)


def _list(place: Element, items: Iterable[str]) -> None:
    made = SubElement(place, "ul")
    for item in items:
        _add(made, "li", item)


def _add(place: Element, tag: str, text: str, kind: str = "") -> None:
    SubElement(place, tag, {"class": kind} if kind else {}).text = text
