"""Writes a session as CSV, one line a shot, or as JSON, everything.

`docs/session.schema.json` describes every key of the JSON. Names end in their unit: nl nanolitres,
pl picolitres, ms milliseconds, s seconds; so do the headings of the CSV.
"""

import csv
import io
import json
from dataclasses import asdict
from enum import IntEnum
from typing import Any

from mesogun.records.chain import columns
from mesogun.records.clock import ClockMapping
from mesogun.records.statistics import summarise
from mesogun.records.tables import utc_text
from mesogun.records.view import FaultEntry, SessionRecord, Shot, StateEntry

FORMAT = "mesogun-session-1"
"""Changes whenever a key goes or changes its meaning; a new key is no change."""

SHOT_COLUMNS = (
    "session",
    "shot",
    "step",
    "purpose",
    "at",
    "start_ms",
    "motion_ms",
    "pressure_kpa",
    "dose_steps",
    "advance_steps",
    "early_steps",
    "retract_steps",
    "forward_steps",
    "backward_steps",
    "delivered_steps",
    "planned_nl",
    "delivered_nl",
    "upper_bound_nl",
    "end_reason",
    "uncertain",
    "sequence",
)


def to_csv(record: SessionRecord) -> str:
    """Return a head line and one line a shot, flow or prime, in the order in which they began.

    The wall time is written as spreadsheets read one, which know no zone: `at_utc` says which.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow("at_utc" if name == "at" else name for name in SHOT_COLUMNS)
    every = sorted((*record.shots, *record.primes), key=lambda shot: shot.sequence)
    for shot in every:
        row = _shot_row(record, shot)
        if row["at"] is not None:
            row["at"] = row["at"].replace("T", " ").removesuffix("+00:00")
        writer.writerow(row.values())
    return text.getvalue()


def to_json(record: SessionRecord, raw_records: list[bytes]) -> str:
    """Return everything about the session as one JSON object (`docs/session.schema.json`)."""
    statistics = summarise(record)
    document = {
        "format": FORMAT,
        "id": record.session.id,
        "status": record.status,
        "end_reason": _name(record.end.reason) if record.end else None,
        "record_complete": record.complete,
        "incomplete": [each.english for each in record.incomplete],
        "record_hash": record.record_hash,
        "seal": record.seal,
        "record_count": record.record_count,
        "session": columns(record.session, "patient_salt"),
        "shots_planned": record.session.shots_planned,
        "shots_delivered": record.shots_delivered,
        "uncertain_shots": record.uncertain_shots,
        "volume_planned_nl": record.session.volume_planned_nl,
        "volume_delivered_nl": record.volume_nl,
        "volume_upper_bound_nl": record.upper_bound_nl,
        "prime_nl": record.prime_nl,
        "duration_s": record.duration_s,
        "statistics": asdict(statistics) if statistics else None,
        "shots": [_shot_row(record, shot) for shot in record.shots],
        "primes": [_shot_row(record, prime) for prime in record.primes],
        "faults": [_entry(record.clock, fault) for fault in record.faults],
        "states": [_entry(record.clock, state) for state in record.states],
        "notes": [
            {"made_at": note.made_at, "kind": note.kind, "content": note.fields}
            for note in record.notes
        ],
        "gaps": record.gaps,
        "clock": record.clock._asdict() if record.clock else None,
        "records": raw_records,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=bytes.hex) + "\n"


def _shot_row(record: SessionRecord, shot: Shot) -> dict[str, Any]:
    row = {name: getattr(shot, name, None) for name in SHOT_COLUMNS}
    row |= {"session": record.session.id, "at": _wall(record.clock, shot.start_ms)}
    return {name: _name(value) for name, value in row.items()}


def _entry(clock: ClockMapping | None, entry: FaultEntry | StateEntry) -> dict[str, Any]:
    fields = {name: _name(value) for name, value in asdict(entry).items()}
    return {"at": _wall(clock, entry.time_ms), **fields}


def _wall(clock: ClockMapping | None, time_ms: int | None) -> str | None:
    return None if clock is None or time_ms is None else utc_text(clock.at(time_ms))


def _name(value: Any) -> Any:
    """Return the name of an id of the wire in lower case, anything else as it is."""
    return value.name.lower() if isinstance(value, IntEnum) else value
