"""Fetches what guns still hold: connected ones, and virtual ones whose run was broken off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesogun.cli.exit_codes import DONE, exit_code
from mesogun.cli.printer import Answer, Table
from mesogun.cli.words import count
from mesogun.desk.guns import open_kept, sync_kept
from mesogun.desk.simulation import simulation
from mesogun.errors import MesogunError, PortError
from mesogun.gun import Gun
from mesogun.link import probe_ports
from mesogun.ports import SIM, open_port
from mesogun.records import Store
from mesogun.sync import SyncReport, sync_gun
from mesogun.virtual.firmware import micropython_executable
from mesogun.virtual.gun import kept_guns


@dataclass(frozen=True)
class _Outcome:
    """What became of one gun: a report, or a problem."""

    gun: str
    port: str
    report: SyncReport | None = None
    problem: MesogunError | None = None
    code: int = DONE


def sync(port: str | None) -> Answer:
    """Synchronise one gun, or all that can be found.

    Raises:
        PortError: if the one that was named cannot be opened.
    """
    with Store.open() as store:
        if port == SIM:
            outcomes = list(_kept(store))
        elif port is not None:
            with Gun.open(open_port(port, simulation)) as gun:
                outcomes = [_Outcome(gun.info.board_id, port, sync_gun(gun, store))]
        else:
            outcomes = [*_connected(store), *_kept(store)]
    rows = [(each.gun, each.port, _in_words(each)) for each in outcomes]
    text = [Table(rows, ("gun", "port", "outcome"))] if rows else ["No gun holds any records."]
    code = next((each.code for each in outcomes if each.code), DONE)
    return Answer([_data(each) for each in outcomes], text, code)


def _connected(store: Store) -> Iterator[_Outcome]:
    for probe in probe_ports():
        name = probe.port.device
        if not probe.is_gun:
            continue
        try:
            if probe.problem is not None:
                raise probe.problem
            with Gun.open(open_port(name, simulation)) as gun:
                yield _Outcome(gun.info.board_id, name, sync_gun(gun, store))
        except MesogunError as error:
            yield _failed(probe.board_id or name, name, error)


def _kept(store: Store) -> Iterator[_Outcome]:
    kept = kept_guns()
    if kept:
        micropython_executable()  # without one, none of them can be asked
    for board_id in kept:
        name = board_id.hex()
        try:
            transport = open_kept(board_id)
        except PortError as error:
            # Somebody uses it, so nothing is lost and there is nothing to do yet.
            yield _Outcome(name, "sim", problem=error)
            continue
        try:
            report = sync_kept(transport, store)
        except MesogunError as error:
            yield _failed(name, "sim", error)
        else:
            yield _Outcome(name, "sim", report)


def _failed(gun: str, port: str, error: MesogunError) -> _Outcome:
    return _Outcome(gun, port, problem=error, code=exit_code(error))


def _in_words(outcome: _Outcome) -> str:
    if outcome.report is None:
        return str(outcome.problem)
    sealed = ", ".join(outcome.report.sessions)
    return f"{count(outcome.report.stored, 'record')} stored" + (
        f"; sessions completed: {sealed}" if sealed else ""
    )


def _data(outcome: _Outcome) -> dict[str, Any]:
    report = outcome.report
    return {
        "id": outcome.gun,
        "port": outcome.port,
        "stored": report.stored if report else 0,
        "duplicates": report.duplicates if report else 0,
        "sessions": list(report.sessions) if report else [],
        "problem": str(outcome.problem) if outcome.problem else None,
    }
