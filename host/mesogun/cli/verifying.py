"""Proves the record: by itself, and against the guns that wrote it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from mesogun.cli.exit_codes import DONE, FAILED
from mesogun.cli.printer import Answer, Table
from mesogun.desk.simulation import simulation
from mesogun.gun import Gun
from mesogun.ports import SIM, open_port
from mesogun.records import ProblemKind, Proof, Store, VerifyReport
from mesogun.records.span import in_words
from mesogun.records.verify import unlike_gun
from mesogun.sync import verify_gun
from mesogun.virtual.gun import VirtualTransport, kept_guns
from mesogun.words import N_, Message, _, ngettext


class _Found(NamedTuple):
    """What was found about a session, or about all records of a gun.

    Attributes:
        data: for `--json`.
        row: for the table.
        problems: in words.
    """

    data: dict[str, Any]
    row: tuple[str, ...]
    problems: list[str]


def verified(names: list[str], port: str | None) -> Answer:
    """What is wrong with the named sessions, or with all; with `port` with the gun's records too.

    Raises:
        PortError: if there is no such gun.
        RecordError: if the gun writes records meanwhile.
    """
    with Store.open() as store:
        reports = [store.verify(name) for name in names] if names else store.verify_all()
        found = [_session(report) for report in reports]
        if port is not None:
            for opened in _guns(port):
                with opened as gun:
                    found.append(_gun(gun.info.board_id, verify_gun(gun, store)))
    headings = (_("id"), _("proof"), _("status"), _("size"), _("patient"), _("hash"))
    rows = [each.row for each in found]
    text: list[str | Table] = [Table(rows, headings)] if rows else [_("No sessions.")]
    for each in found:
        text += each.problems
    sound = all(each.data["ok"] for each in found)
    return Answer([each.data for each in found], text, DONE if sound else FAILED)


def _guns(port: str) -> Iterator[AbstractContextManager[Gun]]:
    if port != SIM:
        yield Gun.open(open_port(port, simulation))
        return
    for board_id in kept_guns():
        yield Gun.open(VirtualTransport(simulation(speed="max").settings(), board_id))


def _session(report: VerifyReport) -> _Found:
    problems = [
        {"kind": each.kind, "sequence": each.sequence, "text": each.text}
        for each in report.problems
    ]
    return _Found(
        {
            "id": report.session,
            "ok": report.ok,
            "status": report.status,
            "record_count": report.record_count,
            "record_hash": report.record_hash,
            "patient_erased": report.patient_erased,
            "problems": problems,
        },
        (
            report.session,
            _verdict(len(problems)),
            str(in_words(report.status)),
            _records(report.record_count),
            _("erased") if report.patient_erased else "",
            report.record_hash,
        ),
        [f"{report.session}: {_(each.kind)}: {each.what}" for each in report.problems],
    )


def _gun(board_id: str, proof: Proof) -> _Found:
    found = [unlike_gun(each) for each in proof.breaks]
    size = ""
    if proof.first is not None:
        size = _("records {first} to {last}").format(first=proof.first, last=proof.last)
    elif not found:
        found.append(
            Message(
                N_("The store holds no records that the gun's own hash could be compared with.")
            )
        )
    data = {
        "id": board_id,
        "ok": not found,
        "status": "gun",
        "first_sequence": proof.first,
        "last_sequence": proof.last,
        "problems": [
            {"kind": "gun-hash", "sequence": None, "text": each.english} for each in found
        ],
    }
    row = (board_id, _verdict(len(found)), _("gun"), size, "", "")
    kind = _(ProblemKind.GUN_HASH)
    return _Found(data, row, [f"{board_id}: {kind}: {each}" for each in found])


def _records(count: int) -> str:
    return ngettext("{count} record", "{count} records", count).format(count=count)


def _verdict(problems: int) -> str:
    if not problems:
        return _("ok")
    return ngettext("{count} PROBLEM", "{count} PROBLEMS", problems).format(count=problems)
