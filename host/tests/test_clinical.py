"""The map of the clinical overviews leads somewhere: every place in it exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from mesogun import catalog
from mesogun.cli.app import app

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/clinical.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([AB]\d+) \| (.*?) \| (.*) \|$", TEXT, re.MULTILINE)
PLACES = re.findall(r"`((?:catalog|command|file|test):[^`]+)`", TEXT.partition("## What")[2])


def exists(place: str) -> bool:
    kind, _, where = place.partition(":")
    match kind:
        case "catalog":
            return in_catalog(*where.split("/"))
        case "command":
            return is_command(where.split())
        case "file":
            return (ROOT / where).is_file()
        case _:
            path, _, name = where.partition("::")
            return f"\ndef {name}(" in (ROOT / path).read_text("utf-8")


def in_catalog(table: str, *keys: str) -> bool:
    found: Any = getattr(catalog, table)()
    for key in keys:
        if isinstance(found, tuple):
            found = {each.id: each for each in found}
        if isinstance(found, dict) or hasattr(found, "keys"):
            found = found.get(key)
        else:
            found = getattr(found, key, None)
        if found in (None, "", ()):
            return False
    return True


def is_command(words: list[str]) -> bool:
    command: Any = typer.main.get_command(app)
    for word in words:
        if word.startswith("--"):
            return any(word in each.opts for each in command.params)
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True


@pytest.mark.parametrize("place", sorted(set(PLACES)))
def test_a_place_exists(place: str):
    assert exists(place)


@pytest.mark.parametrize(
    "place",
    [
        "catalog:techniques/napage",
        "catalog:techniques/nappage/shots/wrong",
        "catalog:care/question/none",
        "command:walk",
        "command:run --wrong",
        "file:docs/none.md",
        "test:host/tests/test_clinical.py::test_none",
    ],
)
def test_a_place_that_is_none_is_found(place: str):
    assert not exists(place)


def test_every_statement_is_carried_or_has_its_reason():
    assert [number for number, _, _ in ROWS] == [
        *(f"A{number}" for number in range(1, 46)),
        *(f"B{number}" for number in range(1, 20)),
    ]
    for number, statement, carried in ROWS:
        assert len(statement) > 5, number
        reason = carried.partition("not carried: ")[2]
        assert "`" in carried or len(reason) > 20, number
