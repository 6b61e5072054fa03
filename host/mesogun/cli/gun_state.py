"""The state of a gun, stopping it, and what is connected."""

from collections.abc import Iterator
from dataclasses import asdict
from enum import IntEnum, IntFlag
from typing import Any

from mesogun.cli.connect import connected
from mesogun.cli.printer import Answer, Table, tell
from mesogun.cli.words import count
from mesogun.errors import PortError
from mesogun.gun import Gun, Status
from mesogun.link import Probe, list_ports, probe_ports
from mesogun.virtual.gun import kept_guns
from mesogun.words import volume
from mesogun.words.gun import fault, state
from mesogun_protocol.enums import Fault, Inputs

_WATCH_S = 1.0


def status(port: str) -> Answer:
    """The gun at this moment, and who it is."""
    with connected(port) as (gun, transport):
        now = gun.status()
        data = {"id": gun.info.board_id, "port": transport.name}
        data |= _plain(asdict(gun.info)) | _now(now)
        return Answer(data, [Table(_rows(gun, transport.name, now))])


def watched(port: str) -> Iterator[Answer]:
    """The gun once a second by its own clock, for ever."""
    with connected(port) as (gun, _):
        while True:
            now = gun.status()
            yield Answer({"id": gun.info.board_id} | _now(now), [_line(now)])
            _let_pass(gun, _WATCH_S)


def stop(port: str) -> Answer:
    """Stop the gun and say what it had delivered."""
    try:
        with connected(port) as (gun, transport):
            gun.stop()
            now = gun.status()
            data = {"id": gun.info.board_id, "port": transport.name, "stopped": True}
            return Answer(data, [f"The gun on {transport.name} has stopped. {_line(now)}"])
    except PortError as error:
        raise PortError(
            f"{error}\nNothing was stopped. If a program is running here, press s in its window; "
            "the interlock and the gun's power switch always stop it."
        ) from error


def devices() -> Answer:
    """Every serial port, with what answered on it."""
    probes = {probe.port.device: probe for probe in probe_ports()}
    found: list[dict[str, Any]] = [
        {
            "id": port.device,
            "description": port.description,
            "serial_number": port.serial_number,
            **_answered(probes.get(port.device)),
        }
        for port in list_ports()
    ]
    if not found:
        tell("There is no serial port here. A virtual gun needs none: --port sim.")
    kept = kept_guns()
    if kept:
        tell(
            f"{count(len(kept), 'virtual gun')} may hold records that are not stored, unless in "
            "use: run `mesogun sessions sync`."
        )
    rows = [
        (each["id"], each["description"], each["board_id"] or "", each["note"]) for each in found
    ]
    return Answer(found, [Table(rows, ("port", "description", "board", "gun"))] if rows else [])


def _answered(probe: Probe | None) -> dict[str, Any]:
    if probe is None:
        return {"is_gun": False, "board_id": None, "note": "not asked: another maker's port"}
    note = str(probe.problem) if probe.problem else "mesogun, ready"
    return {"is_gun": probe.is_gun, "board_id": probe.board_id, "note": note}


def _let_pass(gun: Gun, time_s: float) -> None:
    """Wait by the gun's time, whatever events come in between."""
    until_ms = gun.status().clock_ms + round(time_s * 1000)
    while (left_ms := until_ms - gun.status().clock_ms) > 0:
        gun.wait(left_ms / 1000)


def _rows(gun: Gun, port: str, now: Status) -> list[tuple[str, str]]:
    info = gun.info
    latched = fault(now.fault) if now.fault is not Fault.NONE else "none"
    return [
        ("gun", f"{port}, board {info.board_id}, revision {info.board_revision}"),
        ("firmware", f"{info.firmware}, build {info.build}, started {info.boot_id} times"),
        ("state", state(now.state)),
        ("fault", latched),
        ("inputs", _inputs(now.inputs)),
        ("program", f"{now.shots_done} of {count(now.shots_planned, 'shot')}"),
        ("delivered", f"{volume(now.delivered_nl)}, primed {volume(now.primed_nl)}"),
        ("syringe", f"{volume(now.remaining_nl)} left" if now.pl_per_step else "none declared"),
        ("pressure", f"{now.pressure_pa / 1000:.0f} kPa"),
        (
            "journal",
            f"{count(now.journal_next - now.journal_acknowledged, 'record')} not yet stored by a "
            f"host, room for {now.journal_free}",
        ),
    ]


def _line(now: Status) -> str:
    latched = f"; {fault(now.fault)}" if now.fault is not Fault.NONE else ""
    return (
        f"{state(now.state)}; {now.shots_done} of {count(now.shots_planned, 'shot')}, "
        f"{volume(now.delivered_nl)} delivered, {volume(now.remaining_nl)} left, "
        f"{now.pressure_pa / 1000:.0f} kPa; {_inputs(now.inputs)}{latched}"
    )


def _inputs(inputs: Inputs) -> str:
    return ", ".join(
        (
            "trigger pressed" if inputs & Inputs.TRIGGER else "trigger released",
            "interlock closed" if inputs & Inputs.INTERLOCK_CLOSED else "interlock open",
            "syringe seated" if inputs & Inputs.SYRINGE_SEATED else "syringe not seated",
            "supply in range" if inputs & Inputs.SUPPLY_OK else "supply out of range",
        )
    )


def _now(now: Status) -> dict[str, Any]:
    return _plain(asdict(now)) | {"delivered_nl": now.delivered_nl, "primed_nl": now.primed_nl}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with the ids of the wire as words."""
    return {name: _word(value) for name, value in fields.items()}


def _word(value: Any) -> Any:
    if isinstance(value, IntFlag):
        return [bit.name.lower() for bit in type(value) if bit in value and bit.name]
    return value.name.lower() if isinstance(value, IntEnum) else value
