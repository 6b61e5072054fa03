"""Sessions of the store as tables and as data."""

import json
from datetime import datetime
from typing import Any, Final

from mesogun.cli.printer import Answer, Table, tell
from mesogun.errors import RecordError
from mesogun.records import (
    Session,
    SessionRecord,
    SessionStatus,
    Shot,
    Statistics,
    Store,
    pressure_drifts,
    summarise,
)
from mesogun.records.export import to_json
from mesogun.words import N_, _, duration, ngettext, number, volume
from mesogun.words.gun import end, fault_advice, fault_name, moved_pressure, step
from mesogun.words.gun import gun as gun_in_words

_SHOTS_SHOWN = 12
"""A session of more shots shows its statistics, and each shot on demand."""


_WHO: Final = (N_("id"), N_("made"), N_("program"), N_("operator"), N_("patient"))
"""Headings of what is known of a session before it starts."""

_STATUS: Final = (
    *(N_("planned"), N_("open"), N_("interrupted"), N_("ended"), N_("damaged")),
    *(N_("complete"), N_("released"), N_("stopped"), N_("faulted"), N_("disarmed")),
)
"""What the status of a session is called: how far its records go, and how it ended."""


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
        tell(_("{count} more: --last 0 lists all.").format(count=len(sessions) - len(shown)))
    if kept := kept_guns():
        tell(
            ngettext(
                "{count} virtual gun may hold records that are not stored, unless in use: run "
                "`mesogun sessions sync`.",
                "{count} virtual guns may hold records that are not stored, unless in use: run "
                "`mesogun sessions sync`.",
                len(kept),
            ).format(count=len(kept))
        )
    started = [each for each in found if each["status"] != SessionStatus.PLANNED]
    planned = [each for each in found if each["status"] == SessionStatus.PLANNED]
    rows = [(*_who(each), _came_to(each)) for each in started]
    text: list[str | Table] = []
    if rows:
        text.append(Table(rows, (*map(_, _WHO), _("record"))))
    if planned:
        # Nothing was delivered in these, so they must not look like treatments.
        text += [""] if rows else []
        text += [
            _("Prepared and never started:"),
            Table([_who(each) for each in planned], [*map(_, _WHO)]),
        ]
    return Answer(found, text or [_("No sessions.")])


def _who(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        entry["id"],
        _local(entry["created_at"]),
        _(entry["program"]),
        entry["operator"] or "",
        entry["patient_ref"] or (_("erased") if entry["patient_erased"] else ""),
    )


def shown(name: str, every_shot: bool) -> Answer:
    """One session."""
    with Store.open() as store:
        record, raw_records = store.session_records(name)
    session = record.session
    text: list[str | Table] = [Table(_figures(record))]
    if record.shots and (every_shot or len(record.shots) <= _SHOTS_SHOWN):
        shots = sorted((*record.shots, *record.primes), key=lambda shot: shot.sequence)
        headings = (
            _("shot"),
            _("kind"),
            _("start"),
            _("planned"),
            _("delivered"),
            _("ended"),
        )
        text += ["", Table([_shot(record, shot) for shot in shots], headings)]
    elif record.shots:
        text += [
            "",
            _("`mesogun sessions show {session} --shots` lists each shot.").format(
                session=session.id
            ),
        ]
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


def _came_to(entry: dict[str, Any]) -> str:
    """Shots, volume and how the session ended, in one column: 80 hold no more of them."""
    ended = _(entry["status"]) + ("" if entry["record_complete"] else _(", INCOMPLETE"))
    if entry["shots_delivered"] is None:
        return ended
    shots = f"{entry['shots_delivered']}/{entry['shots_planned']}"
    return f"{shots}, {volume(entry['volume_delivered_nl'])}, {ended}"


def _figures(record: SessionRecord) -> list[tuple[str, str]]:
    session = record.session
    gun = _("{kind}, board {board}, start {boot}").format(
        kind=gun_in_words(session.gun_kind), board=session.board_id, boot=session.boot_id
    )
    if session.seed is not None:
        gun += _(", seed {seed}").format(seed=session.seed)
    ended = end(record.end.reason if record.end else None)
    doubt = (
        _(", at most {volume}").format(volume=volume(record.upper_bound_nl))
        if record.uncertain_shots
        else ""
    )
    return [
        (_("session"), session.id),
        (_("made"), _local(session.created_at)),
        (_("program"), _(session.program_name)),
        (_("operator"), session.operator or _("not given")),
        (
            _("patient"),
            session.patient_ref or (_("erased") if session.patient_erased else _("not given")),
        ),
        (_("gun"), gun),
        (
            _("firmware"),
            _("{version}, build {build}").format(
                version=session.firmware_version, build=f"{session.firmware_build:08x}"
            ),
        ),
        (
            _("syringe"),
            _("{syringe}, {volume} nl a step").format(
                syringe=session.syringe, volume=number(session.pl_per_step / 1000, 3)
            ),
        ),
        (_("needle"), session.needle),
        (_("status"), f"{_(record.status)}, {ended}"),
        (
            _("shots"),
            _("{done} of {planned}").format(
                done=record.shots_delivered, planned=session.shots_planned
            ),
        ),
        (_("uncertain"), _("{number} shots").format(number=record.uncertain_shots)),
        (
            _("volume"),
            _("{done} of {planned}").format(
                done=volume(record.volume_nl), planned=volume(session.volume_planned_nl)
            )
            + doubt,
        ),
        (_("primed"), volume(record.prime_nl)),
        (
            _("time"),
            duration(record.duration_s) if record.duration_s is not None else _("not started"),
        ),
        *_doses(summarise(record)),
        *(
            (_("SUSPICIOUS"), ". ".join(moved_pressure(each.first_kpa, each.last_kpa)))
            for each in pressure_drifts(record)
        ),
        *(
            (
                _("fault at {time}").format(time=duration(record.since_start_s(each.time_ms))),
                _("{name}: {advice}").format(
                    name=fault_name(each.fault), advice=fault_advice(each.fault)
                ),
            )
            for each in record.faults
        ),
        (_("record"), _("complete") if record.complete else _("NOT COMPLETE")),
        *(("", str(reason)) for reason in record.incomplete),
        (_("hash"), record.record_hash),
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
            _("dose"),
            _("mean {mean}, from {least} to {most}; planned {planned}").format(
                mean=mean,
                least=least,
                most=most,
                planned=volume(statistics.planned_mean_nl),
            ),
        )
    ]


def _shot(record: SessionRecord, shot: Shot) -> tuple[str, ...]:
    start = ""
    if shot.start_ms is not None and record.started_ms is not None:
        start = _("{number} s").format(number=number(record.since_start_s(shot.start_ms), 3))
    ended = _("UNCERTAIN") if shot.uncertain else _("running")
    return (
        f"{shot.shot + 1}",
        step(shot.purpose),
        start,
        volume(shot.planned_nl) if shot.planned_nl is not None else _("not known"),
        volume(shot.delivered_nl),
        ended if shot.end_reason is None else end(shot.end_reason),
    )


def _local(utc_text: str) -> str:
    """A time of the store in this computer's time zone, to the minute."""
    return f"{datetime.fromisoformat(utc_text).astimezone():%Y-%m-%d %H:%M}"
