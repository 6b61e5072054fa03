"""The JSON export is what its published schema says, and the CSV names its units."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mesogun.records import ClockMapping, Session, Store
from mesogun.records.export import SHOT_COLUMNS
from mesogun_protocol.enums import ControllerState, EndReason, Fault, StepKind

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/session.schema.json").read_text("utf-8"))
BOARD = "e6614104037a5b2c"
UNITS = ("_nl", "_ms", "_kpa", "_steps", "_utc")
COUNTS_AND_NAMES = {"session", "shot", "step", "purpose", "end_reason", "uncertain", "sequence"}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


def whole(store: Store, board: Any, session: Session) -> None:
    board.boot()
    board.syringe()
    board.start(session)
    board.intent(0, 240, purpose=StepKind.PRIME)
    board.result(0, 240, purpose=StepKind.PRIME)
    board.shots(2)
    board.state(ControllerState.PAUSED, ControllerState.RUNNING)
    board.fault(Fault.OCCLUSION)
    del board.journal[-3]
    board.end(EndReason.FAULTED)
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id, ClockMapping(1.9e9, 1.0))
    store.add_note(session.id, "checklist", {"allergy": "no"})


@pytest.mark.parametrize(
    "changes", [{}, {"operator": None, "patient_ref": None, "seed": None, "gun_kind": "board"}]
)
def test_a_session_of_many_kinds_of_records_fits_the_schema(
    changes: dict[str, Any],
    store: Store,
    board: Any,
    make_session: Callable[..., Session],
    validator: Draft202012Validator,
) -> None:
    session = store.create_session(make_session(**changes))
    validator.validate(json.loads(store.export(session.id, "json")))  # nothing recorded yet
    whole(store, board, session)
    document = json.loads(store.export(session.id, "json"))
    for filled in ("primes", "faults", "states", "gaps", "notes", "incomplete"):
        assert document[filled]
    validator.validate(document)
    store.erase_patient("P-1952")
    validator.validate(json.loads(store.export(session.id, "json")))


def test_the_schema_refuses_what_is_not_described(
    store: Store, finished: Session, validator: Draft202012Validator
) -> None:
    document = json.loads(store.export(finished.id, "json"))
    validator.validate(document)
    for key in document:
        assert not validator.is_valid({k: v for k, v in document.items() if k != key})
    assert not validator.is_valid(document | {"patient_name": "Ada"})
    assert not validator.is_valid(document | {"session": document["session"] | {"salt": "00"}})


def test_every_key_is_described() -> None:
    def undescribed(schema: dict[str, Any], path: str) -> list[str]:
        found = []
        for name, each in schema.get("properties", {}).items():
            if "description" not in each and "$ref" not in each:
                found.append(f"{path}.{name}")
            found += undescribed(each, f"{path}.{name}")
        return found + (undescribed(schema["items"], path) if "items" in schema else [])

    assert undescribed(SCHEMA, "") == []
    assert undescribed(SCHEMA["$defs"]["shot"], "shot") == []
    assert tuple(SCHEMA["$defs"]["shot"]["properties"]) == SHOT_COLUMNS


def test_the_names_of_the_schema_are_those_of_the_wire() -> None:
    items = {
        name: SCHEMA["properties"][name]["items"]["properties"] for name in ("faults", "states")
    }
    for schema, names in [
        (SCHEMA["properties"]["end_reason"], EndReason),
        (SCHEMA["$defs"]["shot"]["properties"]["end_reason"], EndReason),
        (items["faults"]["fault"], Fault),
        (items["states"]["state"], ControllerState),
        (items["states"]["previous"], ControllerState),
    ]:
        assert {name for name in schema["enum"] if name} == {each.name.lower() for each in names}


def test_each_heading_of_the_csv_has_its_unit(store: Store, finished: Session) -> None:
    headings = next(csv.reader(io.StringIO(store.export(finished.id, "csv"))))
    assert all(each.endswith(UNITS) or each in COUNTS_AND_NAMES for each in headings)
