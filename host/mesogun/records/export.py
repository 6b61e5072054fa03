"""Writes a session as CSV, one line a shot, or as JSON, everything.

The keys of the JSON object:

    id                 the session's short name
    status             planned, open, interrupted or ended; end_reason says how it ended
    record_complete    true if nothing is missing; `incomplete` lists why not, in words
    record_hash, seal  see `mesogun.records.chain`; record_count and `records` are what they cover
    session            the host's row: program, syringe, limits, firmware, people
    shots_planned, shots_delivered, uncertain_shots, volume_planned_nl, volume_delivered_nl,
    volume_upper_bound_nl, prime_nl, duration_s
                       totals; the upper bound counts a shot without a result as delivered whole
    statistics         see `mesogun.records.statistics.Statistics`, or null
    shots, primes      the columns of the CSV as keys
    faults, states     as recorded, with `time_ms` of the device clock and wall time `at`
    notes              what people told or confirmed: made_at, kind, and content by its kind
    gaps               [first, last] of missing sequence numbers
    clock              device clock to host time, or null: epoch_s + rate * time_ms / 1000
    records            every raw record of the session, hexadecimal, in the order of the hash chain

Names end in their unit: nl nanolitres, pl picolitres, ms milliseconds, s seconds; `at` is UTC.
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

SHOT_COLUMNS = (
    "session",
    "shot",
    "step",
    "purpose",
    "at",
    "start_ms",
    "motion_ms",
    "dose_steps",
    "advance_steps",
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
    """Return a head line and one line a shot, flow or prime, in the order in which they began."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SHOT_COLUMNS)
    every = sorted((*record.shots, *record.primes), key=lambda shot: shot.sequence)
    writer.writerows(_shot_row(record, shot).values() for shot in every)
    return text.getvalue()


def to_json(record: SessionRecord, raw_records: list[bytes]) -> str:
    """Return everything about the session as one JSON object; the keys stand above."""
    statistics = summarise(record)
    document = {
        "id": record.session.id,
        "status": record.status,
        "end_reason": _name(record.end.reason) if record.end else None,
        "record_complete": record.complete,
        "incomplete": record.incomplete,
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
