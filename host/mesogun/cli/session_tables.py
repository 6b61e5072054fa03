"""Sessions of the store as tables and as data."""

import json
from datetime import datetime
from typing import Any

from mesogun.cli.printer import Answer, Table, tell
from mesogun.cli.words import count
from mesogun.errors import RecordError
from mesogun.records import (
    Session,
    SessionRecord,
    SessionStatus,
    Shot,
    Statistics,
    Store,
    summarise,
)
from mesogun.records.export import to_json
from mesogun.words import duration, volume
from mesogun.words.gun import end, fault_advice

_SHOTS_SHOWN = 12
"""A session of more shots shows its statistics, and each shot on demand."""


_WHO = ("id", "made", "program", "operator", "patient")
"""Headings of what is known of a session before it starts."""


def listed(
    since: datetime | None,
    until: datetime | None,
    operator: str | None,
    patient_ref: str | None,
    gun: str | None,
    last: int,
) -> Answer:
    """The sessions that meet every condition, the newest first."""
    # The virtual gun takes longer to import than a session takes to show.
    from mesogun.virtual.gun import kept_guns

    with Store.open() as store:
        sessions = store.list_sessions(
            since=since.astimezone() if since else None,
            until=until.astimezone() if until else None,
            operator=operator,
            patient_ref=patient_ref,
            board_id=gun,
        )
        shown = sessions[: last or None]
        found = [_entry(store, session) for session in shown]
    if len(shown) < len(sessions):
        tell(f"{len(sessions) - len(shown)} more: --last 0 lists all.")
    if kept := kept_guns():
        tell(
            f"{count(len(kept), 'virtual gun')} may hold records that are not stored, unless in "
            "use: run `mesogun sessions sync`."
        )
    started = [each for each in found if each["status"] != SessionStatus.PLANNED]
    planned = [each for each in found if each["status"] == SessionStatus.PLANNED]
    rows = [
        (
            *_who(each),
            *_delivered(each),
            each["status"] + ("" if each["record_complete"] else ", INCOMPLETE"),
        )
        for each in started
    ]
    text: list[str | Table] = []
    if rows:
        text.append(Table(rows, (*_WHO, "shots", "volume", "record")))
    if planned:
        # Nothing was delivered in these, so they must not look like treatments.
        text += [""] if rows else []
        text += ["Prepared and never started:", Table([_who(each) for each in planned], _WHO)]
    return Answer(found, text or ["No sessions."])


def _who(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        entry["id"],
        _local(entry["created_at"]),
        entry["program"],
        entry["operator"] or "",
        entry["patient_ref"] or ("erased" if entry["patient_erased"] else ""),
    )


def shown(name: str, every_shot: bool) -> Answer:
    """One session."""
    with Store.open() as store:
        record, raw_records = store.session_records(name)
    session = record.session
    text: list[str | Table] = [Table(_figures(record))]
    if record.shots and (every_shot or len(record.shots) <= _SHOTS_SHOWN):
        shots = sorted((*record.shots, *record.primes), key=lambda shot: shot.sequence)
        headings = ("shot", "kind", "start", "planned", "delivered", "ended")
        text += ["", Table([_shot(record, shot) for shot in shots], headings)]
    elif record.shots:
        text += ["", f"`mesogun sessions show {session.id} --shots` lists each shot."]
    return Answer(lambda: json.loads(to_json(record, raw_records)), text)


def _entry(store: Store, session: Session) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": session.id,
        "created_at": session.created_at,
        "program": session.program_name,
        "operator": session.operator,
        "patient_ref": session.patient_ref,
        "patient_erased": session.patient_erased,
        "board_id": session.board_id,
        "shots_planned": session.shots_planned,
        "volume_planned_nl": session.volume_planned_nl,
    }
    try:
        record = store.session_view(session.id)
    except RecordError:
        # One damaged record must not hide the others; `verify` names what is wrong with it.
        return entry | {
            "shots_delivered": None,
            "volume_delivered_nl": None,
            "status": "damaged",
            "record_complete": False,
        }
    status = record.end.reason.name.lower() if record.end is not None else str(record.status)
    return entry | {
        "shots_delivered": record.shots_delivered,
        "volume_delivered_nl": record.volume_nl,
        "status": status,
        "record_complete": record.complete,
    }


def _delivered(entry: dict[str, Any]) -> tuple[str, str]:
    """Shots and volume of an entry, as far as they can be read."""
    if entry["shots_delivered"] is None:
        return "not readable", ""
    shots = f"{entry['shots_delivered']} of {entry['shots_planned']}"
    return shots, volume(entry["volume_delivered_nl"])


def _figures(record: SessionRecord) -> list[tuple[str, str]]:
    session = record.session
    gun = f"{session.gun_kind}, board {session.board_id}, boot {session.boot_id}"
    if session.seed is not None:
        gun += f", seed {session.seed}"
    ended = end(record.end.reason if record.end else None)
    doubt = f", at most {volume(record.upper_bound_nl)}" if record.uncertain_shots else ""
    return [
        ("session", session.id),
        ("made", _local(session.created_at)),
        ("program", session.program_name),
        ("operator", session.operator or "not given"),
        ("patient", session.patient_ref or ("erased" if session.patient_erased else "not given")),
        ("gun", gun),
        ("firmware", f"{session.firmware_version}, build {session.firmware_build:08x}"),
        ("syringe", f"{session.syringe}, {session.pl_per_step / 1000:.3f} nl a step"),
        ("needle", session.needle),
        ("status", f"{record.status}, {ended}"),
        ("shots", f"{record.shots_delivered} of {session.shots_planned}"),
        ("uncertain", f"{record.uncertain_shots} shots"),
        ("volume", f"{volume(record.volume_nl)} of {volume(session.volume_planned_nl)}{doubt}"),
        ("primed", volume(record.prime_nl)),
        ("time", duration(record.duration_s) if record.duration_s is not None else "not started"),
        *_doses(summarise(record)),
        *(
            (
                f"fault at {duration((each.time_ms - (record.started_ms or 0)) / 1000)}",
                f"{each.fault.name.lower()}: {fault_advice(each.fault)}",
            )
            for each in record.faults
        ),
        ("record", "complete" if record.complete else "NOT COMPLETE"),
        *(("", reason) for reason in record.incomplete),
        ("hash", record.record_hash),
    ]


def _doses(statistics: Statistics | None) -> list[tuple[str, str]]:
    if statistics is None:
        return []
    mean, least, most = (
        volume(each)
        for each in (
            statistics.delivered_mean_nl,
            statistics.delivered_min_nl,
            statistics.delivered_max_nl,
        )
    )
    return [
        (
            "dose",
            f"mean {mean}, from {least} to {most}; planned {volume(statistics.planned_mean_nl)}",
        )
    ]


def _shot(record: SessionRecord, shot: Shot) -> tuple[str, ...]:
    start = ""
    if shot.start_ms is not None and record.started_ms is not None:
        start = f"{(shot.start_ms - record.started_ms) / 1000:.3f} s"
    ended = "UNCERTAIN" if shot.uncertain else "running"
    return (
        f"{shot.shot + 1}",
        shot.purpose.name.lower(),
        start,
        volume(shot.planned_nl) if shot.planned_nl is not None else "not known",
        volume(shot.delivered_nl),
        ended if shot.end_reason is None else end(shot.end_reason),
    )


def _local(utc_text: str) -> str:
    """A time of the store in this computer's time zone, to the minute."""
    return f"{datetime.fromisoformat(utc_text).astimezone():%Y-%m-%d %H:%M}"
