"""The guns that are connected, and the virtual one."""

from dataclasses import dataclass

from mesogun.desk.simulation import simulation
from mesogun.errors import MesogunError
from mesogun.gun import Gun
from mesogun.link import Probe, SerialPort, probe_port, probe_ports
from mesogun.ports import SIM, open_port
from mesogun.records import Store
from mesogun.sync import SyncReport, sync_gun
from mesogun.virtual.gun import VirtualTransport, kept_guns
from mesogun_protocol.enums import ControllerState, Fault, RecordKind
from mesogun_protocol.records import RecordCorrupt, decode_record


@dataclass(frozen=True)
class GunSeen:
    """A gun as it was found.

    Attributes:
        port: what names it.
        board_id: 16 hexadecimal digits, None if it has none yet or did not tell.
        state: None if it has none yet or did not tell.
        fault: that it stopped with.
        unstored: records of sessions that it holds and no host has stored; of virtual guns, how
            many were kept.
        stored_at: when the last session of it that the store has was made, None if there is none.
        problem: why it cannot be used, None if it can.
    """

    port: str
    board_id: str | None = None
    state: ControllerState | None = None
    fault: Fault = Fault.NONE
    unstored: int = 0
    stored_at: str | None = None
    problem: str | None = None


def look_round(named: str | None = None) -> list[GunSeen]:
    """The guns that are connected, then the virtual one; moves nothing, 1.2 s for a silent port.

    Args:
        named: a port that is asked as well, since a person has named it: no USB port, perhaps.
    """
    found = [probe for probe in probe_ports() if probe.is_gun]
    if named is not None and named not in {probe.port.device for probe in found}:
        found.append(probe_port(SerialPort(named, None, None, None, named)))
    with Store.open() as store:
        seen = [_seen(probe, store) for probe in found]
    return [*seen, GunSeen(SIM, unstored=len(kept_guns()))]


def _seen(probe: Probe, store: Store) -> GunSeen:
    port, board_id = probe.port.device, probe.board_id
    latest = store.list_sessions(board_id=board_id, limit=1) if board_id else []
    stored_at = latest[0].created_at if latest else None
    if probe.problem is not None:
        return GunSeen(port, board_id, stored_at=stored_at, problem=str(probe.problem))
    try:
        with Gun.open(open_port(port, simulation)) as gun:
            now = gun.status()
            left = unstored(gun)
    except MesogunError as error:
        return GunSeen(port, board_id, stored_at=stored_at, problem=str(error))
    return GunSeen(port, board_id, now.state, now.fault, left, stored_at)


def unstored(gun: Gun) -> int:
    """Records that no host has stored; 0 if they tell of nothing that a session is made of."""
    status = gun.status()
    if not any(map(_tells, gun.read_records(status.journal_acknowledged))):
        return 0
    return status.journal_next - status.journal_acknowledged


def _tells(raw: bytes) -> bool:
    """Whether a record tells of more than that the gun was switched on, or its records stored."""
    try:
        return decode_record(raw).kind not in (RecordKind.BOOT, RecordKind.ACKNOWLEDGED)
    except RecordCorrupt:
        return True


def hand_over(port: str) -> int:
    """Store what a gun holds, or all virtual ones whose run was broken off; return what was new.

    Raises:
        MesogunError: as the texts say; what was stored before stays stored.
    """
    with Store.open() as store:
        if port != SIM:
            with Gun.open(open_port(port, simulation)) as gun:
                return sync_gun(gun, store).stored
        return sum(sync_kept(open_kept(board_id), store).stored for board_id in kept_guns())


def open_kept(board_id: bytes) -> VirtualTransport:
    """Switch on a virtual gun whose run was broken off.

    Raises:
        PortError: if somebody uses it.
    """
    return VirtualTransport(simulation(speed="max").settings(), board_id)


def sync_kept(transport: VirtualTransport, store: Store) -> SyncReport:
    """Store what such a gun holds, and let go of it.

    Raises:
        MesogunError: as the texts say; then it is kept.
    """
    with Gun.open(transport) as gun:
        report = sync_gun(gun, store)
    transport.forget()
    return report
