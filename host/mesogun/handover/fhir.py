"""Writes a session as a FHIR bundle: a Procedure, what was administered, and the gun.

Release 4B, https://hl7.org/fhir/R4B, whose resources here read the same in R4. Which medical
terminology a clinic uses, and what was in the syringe, the record does not know, so there are texts
where codes could stand. No Patient is in it: the reference is a code that only the clinic resolves.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from mesogun.catalog import needles, syringes
from mesogun.records import SessionRecord, SessionStatus, VerifyReport
from mesogun_protocol.enums import EndReason

_NAMESPACE: Final = UUID("6f1d7a5e-9a34-4b43-9c55-3f1b0a5d7c21")
"""Drawn once; the same session gives the same bundle."""
_UCUM: Final = "http://unitsofmeasure.org"
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_TEST_DATA: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}

_GUNS: Final = {"board": "mesogun injector gun", "rp2040": "mesogun emulated gun"}

Resource = dict[str, Any]


def to_fhir(record: SessionRecord, verified: VerifyReport) -> str:
    """Return a session as a bundle of the type `collection`, as JSON.

    Args:
        record: of the session.
        verified: what its verification has found.
    """
    notes = [{"text": text} for text in _notes(record, verified)]
    device, procedure, administration = (
        _address(record, kind) for kind in ("Device", "Procedure", "MedicationAdministration")
    )
    resources = [
        (device, _device(record)),
        (procedure, _procedure(record, device) | {"note": notes}),
        (administration, _administration(record, device, procedure) | {"note": notes}),
    ]
    bundle = {
        "resourceType": "Bundle",
        **_meta(record),
        "identifier": _identifier("mesogun session", record.session.id),
        "type": "collection",
        "timestamp": record.session.created_at,
        "entry": [{"fullUrl": address, "resource": each} for address, each in resources],
    }
    return json.dumps(bundle, indent=2, ensure_ascii=False) + "\n"


def _device(record: SessionRecord) -> Resource:
    session = record.session
    name = _GUNS.get(session.gun_kind, "mesogun virtual gun")
    return {
        "resourceType": "Device",
        **_meta(record),
        "identifier": [_identifier("board", session.board_id)],
        "deviceName": [{"name": name, "type": "model-name"}],
        "type": {"text": "mesotherapy injector gun"},
        "version": [
            {
                "type": {"text": "firmware"},
                "value": f"{session.firmware_version} build {session.firmware_build:08x}",
            }
        ],
    }


def _procedure(record: SessionRecord, device: str) -> Resource:
    session = record.session
    return {
        "resourceType": "Procedure",
        **_meta(record),
        "identifier": [
            _identifier("mesogun session", session.id),
            _identifier("SHA-256 of the record", record.record_hash),
        ],
        "status": _status(record, {SessionStatus.PLANNED: "preparation"}),
        "code": {"text": f"Mesotherapy: {session.program_name}"},
        "subject": _patient(record),
        "performedPeriod": _period(record),
        **_performer(record),
        "usedReference": [{"reference": device}],
        "usedCode": [{"text": _syringe(record)}, {"text": _needle(record)}],
    }


def _administration(record: SessionRecord, device: str, procedure: str) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        **_meta(record),
        "partOf": [{"reference": procedure}],
        "status": _status(record, {SessionStatus.PLANNED: "not-done"}),
        "medicationCodeableConcept": {
            "extension": [_absent("unknown")],
            "text": "not recorded: mesogun does not know what was in the syringe",
        },
        "subject": _patient(record),
        "effectivePeriod": _period(record),
        **_performer(record),
        "device": [{"reference": device}],
        "dosage": {
            "text": f"{record.shots_delivered} of {record.session.shots_planned} shots, through "
            f"{_needle(record)}",
            "dose": {
                "value": record.volume_nl / 1e6,
                "unit": "ml",
                "system": _UCUM,
                "code": "mL",
            },
        },
    }


def _status(record: SessionRecord, planned: dict[SessionStatus, str]) -> str:
    if record.end is not None:
        return "completed" if record.end.reason is EndReason.COMPLETE else "stopped"
    if record.status is SessionStatus.OPEN:
        return "in-progress"
    return planned.get(record.status, "unknown")


def _notes(record: SessionRecord, verified: VerifyReport) -> Iterator[str]:
    """Yield what must not be read without: doubts, faults, and what the doses are."""
    if not record.complete:
        yield f"INCOMPLETE RECORD: {'; '.join(each.english for each in record.incomplete)}."
    if not verified.ok:
        yield f"NOT VERIFIED: {' '.join(each.text for each in verified.problems)}"
    if record.uncertain_shots:
        yield (
            f"UNCERTAIN: doses without a result: {record.uncertain_shots}; at most "
            f"{record.upper_bound_nl / 1e6:.6f} ml were delivered."
        )
    for each in record.faults:
        yield f"Fault: {each.fault.name.lower()}."
    yield (
        "Volumes are steps counted at the motor, times the volume of a step. Primed, not "
        f"administered: {record.prime_nl / 1e6:.6f} ml."
    )


def _patient(record: SessionRecord) -> Resource:
    session = record.session
    if session.patient_ref is None:
        return {
            "type": "Patient",
            "extension": [_absent("masked" if session.patient_erased else "unknown")],
        }
    return {
        "type": "Patient",
        "identifier": _identifier("patient reference of the clinic", session.patient_ref),
    }


def _performer(record: SessionRecord) -> Resource:
    if record.session.operator is None:
        return {}
    return {"performer": [{"actor": {"display": record.session.operator}}]}


def _period(record: SessionRecord) -> Resource:
    """From the start to the last record; from the preparation if the clock is not known."""
    if record.clock is None or record.started_ms is None or record.duration_s is None:
        return {"start": record.session.created_at}
    start = record.clock.at(record.started_ms)
    end = start + timedelta(seconds=record.duration_s)
    return {"start": _instant(start), "end": _instant(end)}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _syringe(record: SessionRecord) -> str:
    known = syringes().get(record.session.syringe)
    return known.title if known else record.session.syringe


def _needle(record: SessionRecord) -> str:
    known = needles().get(record.session.needle)
    return f"needle {known.title if known else record.session.needle}"


def _meta(record: SessionRecord) -> Resource:
    """Mark what a virtual gun did, so that no system takes it for a patient's."""
    return {} if record.session.gun_kind == "board" else {"meta": {"security": [_TEST_DATA]}}


def _identifier(what: str, value: str) -> Resource:
    return {"type": {"text": what}, "value": value}


def _absent(reason: str) -> Resource:
    return {"url": _ABSENT, "valueCode": reason}


def _address(record: SessionRecord, kind: str) -> str:
    return uuid5(_NAMESPACE, f"{record.session.id} {kind}").urn
