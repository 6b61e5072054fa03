"""Writes a report as PDF, by the typesetter Typst, whose compiler comes in its wheel."""

import json
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from typing import Any, Final
from xml.etree import ElementTree

from mesogun.handover.document import Document, Part, Picture, Table
from mesogun.words import _

PAPERS: Final = {"a4": "a4", "letter": "us-letter"}
"""Sizes of pages, and what Typst calls them."""
_SVG = "http://www.w3.org/2000/svg"


def to_pdf(document: Document, paper: str, made: datetime) -> bytes:
    """Return the report as PDF/A.

    Args:
        document: the report.
        paper: size of its pages, one of `PAPERS`.
        made: stands in the file as the time of its making.
    """
    import typst

    data = {
        "language": document.language,
        "title": document.title,
        "subtitle": document.subtitle,
        "running": document.running,
        "warning": document.warning,
        "made": document.made,
        "page": _("page {page} of {pages}"),
        "paper": PAPERS[paper],
        "sections": [
            {
                "title": section.title,
                "own_page": section.own_page,
                "whole": section.whole,
                "parts": [_part(part) for part in section.parts],
            }
            for section in document.sections
        ],
    }
    return typst.compile(
        files("mesogun.handover").joinpath("report.typ").read_bytes(),
        sys_inputs={"document": json.dumps(data)},
        # Fonts come with the compiler: the same page on every machine.
        ignore_system_fonts=True,
        pdf_standards="a-2a",
        timestamp=int(made.timestamp()),
    )


def _part(part: Part) -> dict[str, Any]:
    kind = type(part).__name__.lower()
    match part:
        case Picture():
            part.svg.set("xmlns", _SVG)
            svg = ElementTree.tostring(part.svg, encoding="unicode")
            return {
                "kind": kind,
                "title": part.title,
                "svg": svg,
                "caption": part.caption,
                "alternative": part.alternative,
            }
        case Table():
            return {"kind": kind, "wide": part.wide, **asdict(part)}
        case _:
            return {"kind": kind, **asdict(part)}
