"""The FHIR bundle validates, says what the record says, and says nothing of whom."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from mesogun.handover.fhir import to_fhir
from tests.handover.conftest import Clinic, Proven

KINDS = ("with_a_pause", "faulted", "uncertain", "torn", "planned", "tampered", "erased")


def bundle_of(proven: Proven) -> dict[str, Any]:
    text = to_fhir(*proven)
    Bundle.model_validate_json(text)
    return json.loads(text)


def resources(bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["resource"]["resourceType"]: each["resource"] for each in bundle["entry"]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_session_validates(kind: str, clinic: Clinic) -> None:
    bundle = bundle_of(getattr(clinic, kind)())
    assert list(resources(bundle)) == ["Device", "Procedure", "MedicationAdministration"]


@pytest.mark.parametrize(
    ("kind", "procedure", "administration"),
    [
        ("with_a_pause", "completed", "completed"),
        ("faulted", "stopped", "stopped"),
        ("uncertain", "unknown", "unknown"),
        ("planned", "preparation", "not-done"),
    ],
)
def test_the_status_is_never_better_than_the_record(
    kind: str, procedure: str, administration: str, clinic: Clinic
) -> None:
    found = resources(bundle_of(getattr(clinic, kind)()))
    assert found["Procedure"]["status"] == procedure
    assert found["MedicationAdministration"]["status"] == administration


def test_a_session_that_runs_is_in_progress(clinic: Clinic) -> None:
    session = clinic.begin(5)
    clinic.board.shots(2)
    found = resources(bundle_of(clinic.keep(session)))
    assert found["Procedure"]["status"] == "in-progress"


def test_what_was_given_is_told_with_its_unit_gun_and_time(clinic: Clinic) -> None:
    record, verified = clinic.complete(200, seed=None, gun_kind="board")
    bundle = bundle_of((record, verified))
    found = resources(bundle)
    dose = found["MedicationAdministration"]["dosage"]["dose"]
    assert dose == {
        "value": record.volume_nl / 1e6,
        "unit": "ml",
        "system": "http://unitsofmeasure.org",
        "code": "mL",
    }
    assert found["Device"]["identifier"][0]["value"] == record.session.board_id
    assert found["Device"]["version"][0]["value"] == "0.1.0 build 005caffe"
    assert record.clock is not None
    assert record.started_ms is not None
    start = record.clock.at(record.started_ms).isoformat(timespec="milliseconds")
    assert found["Procedure"]["performedPeriod"]["start"] == start
    identifiers = [each["value"] for each in found["Procedure"]["identifier"]]
    assert identifiers == [record.session.id, record.record_hash]
    assert "meta" not in bundle


def test_references_lead_to_entries_of_the_bundle(clinic: Clinic) -> None:
    bundle = bundle_of(clinic.complete(2))
    addresses = {each["fullUrl"] for each in bundle["entry"]}
    found = resources(bundle)
    told = {
        found["Procedure"]["usedReference"][0]["reference"],
        found["MedicationAdministration"]["device"][0]["reference"],
        found["MedicationAdministration"]["partOf"][0]["reference"],
    }
    assert len(addresses) == 3
    assert told < addresses


@pytest.mark.parametrize(
    ("make", "reason"), [(Clinic.erased, "masked"), (Clinic.planned, "unknown")]
)
def test_a_patient_that_is_not_told_has_a_reason(
    make: Callable[[Clinic], Proven], reason: str, clinic: Clinic
) -> None:
    subject = resources(bundle_of(make(clinic)))["Procedure"]["subject"]
    assert "identifier" not in subject
    assert subject["extension"][0]["valueCode"] == reason


def test_the_patient_is_a_code_and_nothing_else(clinic: Clinic) -> None:
    found = resources(bundle_of(clinic.complete(1, patient_ref="P-1952")))
    assert "Patient" not in found
    assert found["Procedure"]["subject"]["identifier"]["value"] == "P-1952"


def test_doubts_and_faults_are_in_the_notes(clinic: Clinic) -> None:
    def notes(proven: Proven) -> str:
        return json.dumps(resources(bundle_of(proven))["MedicationAdministration"]["note"])

    assert "INCOMPLETE RECORD: record " in notes(clinic.torn())
    assert "NOT VERIFIED: Seal 0 does not fit" in notes(clinic.tampered())
    doubtful = "UNCERTAIN: doses without a result: 1; at most 0.260289 ml"
    assert doubtful in notes(clinic.uncertain())
    assert "Fault: occlusion." in notes(clinic.faulted())


def test_what_a_virtual_gun_did_is_marked_as_test_data(clinic: Clinic) -> None:
    bundle = bundle_of(clinic.complete(1))
    for each in (bundle, *resources(bundle).values()):
        assert each["meta"]["security"][0]["code"] == "HTEST"


def test_a_session_without_operator_and_clock_validates(clinic: Clinic) -> None:
    found = resources(bundle_of(clinic.planned()))
    assert "performer" not in found["Procedure"]
    assert set(found["Procedure"]["performedPeriod"]) == {"start"}
