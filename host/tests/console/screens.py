"""Screens of a day as docs/day.md keeps them, so that the document cannot grow stale."""

import difflib
import os
import re
from pathlib import Path

DAY = Path(__file__).parents[3] / "docs/day.md"

KEEP = "MESOGUN_KEEP_SCREENS"
"""Set to write the document again instead of comparing it."""

_VARYING = (
    r"\b[0-9a-f]{64}\b",  # hash of a record
    r"\b[a-z\d]{8}\b",  # session; one in ten has no digit, so words of eight letters go too
    r"\d{4}-\d\d-\d\d \d\d:\d\d",
    r"\w+ \d{1,2}, \d{4}",  # dates
)


def _masked(text: str) -> str:
    for varying in _VARYING:
        text = re.sub(varying, "*", text)
    # Keys meet a moving gun now a look sooner, now later: words are compared, and no figures.
    text = re.sub(r"\[[#.]+\]|^[\u2502 #]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"[ \u2500]+", " ", re.sub(r"\d+([.]\d+)?", "0", text))


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- console: {name} -->\n\n```text\n)(.*?)(\n```)", re.DOTALL)


def compare(screens: dict[str, str]) -> None:
    """Each screen says what the one of the document says, its figures aside."""
    document = DAY.read_text("utf-8")
    for name, whole in screens.items():
        screen = whole.rstrip()
        found = _block(name).search(document)
        assert found, f"docs/day.md has no screen {name!r}"
        if os.environ.get(KEEP):
            document = document[: found.start(2)] + screen + document[found.end(2) :]
        else:
            differs = "\n".join(
                difflib.unified_diff(
                    _masked(found[2]).splitlines(), _masked(screen).splitlines(), lineterm=""
                )
            )
            assert not differs, f"{name}: run this test with {KEEP}=1\n{differs}"
    if os.environ.get(KEEP):
        DAY.write_text(document, "utf-8")
