"""Brings a gun's records into the store, each exactly once; only then may the gun forget them."""

from dataclasses import dataclass

from mesogun.errors import RecordError
from mesogun.gun import Gun
from mesogun.records import UNFINISHED, ClockMapping, GunHash, Proof, Store
from mesogun.words import _
from mesogun_protocol.enums import ControllerState

_AT_WORK = (ControllerState.ARMED, ControllerState.RUNNING, ControllerState.PAUSED)
"""States in which the gun has no time for its running hash."""

_HASHING_MS = 20_000
"""As long as a gun may take to hash 45 minutes at 4 shots/s, which are 21,600 records."""
_LOOK_S = 0.1


@dataclass(frozen=True)
class SyncReport:
    """What one synchronisation did.

    Attributes:
        board_id: the gun, 16 hexadecimal digits.
        stored: records that the store did not have.
        duplicates: records that it had already.
        sessions: ids of the sessions of this gun that came to their end in the store by it.
        refused: why other sessions of this gun could not be sealed, in words.
    """

    board_id: str
    stored: int
    duplicates: int
    sessions: tuple[str, ...]
    refused: tuple[str, ...]


class Collector:
    """Moves the journal of one gun into the store, as far as it has grown."""

    def __init__(self, gun: Gun, store: Store) -> None:
        """Begin behind what a host has acknowledged to the gun before."""
        self._gun = gun
        self._store = store
        self._next = gun.status().journal_acknowledged
        self.stored = 0
        self.duplicates = 0

    def collect(self) -> None:
        """Store what is new. Changes nothing in the gun.

        Raises:
            RecordError: if the store already holds another record under the same number.
        """
        records = list(self._gun.read_records(self._next))
        if not records:
            return
        result = self._store.ingest(self._gun.info.board_id, records)
        self.stored += result.stored
        self.duplicates += result.duplicates
        if result.conflicts:
            numbers = ", ".join(str(key.sequence) for key in result.conflicts)
            raise RecordError(
                _(
                    "Gun {board} sent records {numbers} that differ from those stored under the "
                    "same numbers. Both are kept and nothing was acknowledged; look with `mesogun "
                    "sessions verify`."
                ).format(board=self._gun.info.board_id, numbers=numbers)
            )
        self._next = int.from_bytes(records[-1][:4], "little") + 1

    def gun_hash(self) -> GunHash | None:
        """Return what `settled_hash` says of all that was collected."""
        return settled_hash(self._gun, self._next)

    def acknowledge(self) -> None:
        """Let the gun use the space of what is stored again."""
        self._gun.acknowledge(self._next)


def settled_hash(gun: Gun, collected: int) -> GunHash | None:
    """Return the gun's running hash; a gun at rest is given time to take in what was collected.

    Args:
        gun: at rest or at work.
        collected: the host has the records below this number.

    Returns:
        None if the gun has hashed more than that.
    """
    status = gun.status()
    latest_ms = status.clock_ms + _HASHING_MS
    while status.journal_hashed < collected and status.state not in _AT_WORK:
        if status.clock_ms > latest_ms:
            break
        gun.wait(_LOOK_S)
        status = gun.status()
    if status.journal_hashed > collected:
        return None
    return GunHash(status.journal_hashed, status.journal_digest)


def clock_mapping(gun: Gun) -> ClockMapping:
    """Return how the gun's clock of this boot maps to host time."""
    start, later = gun.utc(0), gun.utc(1_000_000)
    return ClockMapping(start.timestamp(), (later - start).total_seconds() / 1000)


def sync_gun(gun: Gun, store: Store) -> SyncReport:
    """Store everything that the gun holds, seal the sessions it belongs to, then acknowledge it.

    The clock's map holds for the gun's present boot; sessions of earlier boots keep theirs. A
    session of this gun that was tampered with in the store hinders no other.

    Raises:
        RecordError: if the store refuses the records; then the gun keeps everything.
        LinkError: if the gun stops answering; what was stored stays stored.
    """
    collector = Collector(gun, store)
    collector.collect()
    board_id = gun.info.board_id
    ended: list[str] = []
    refused: list[str] = []
    unfinished = store.unfinished_sessions(board_id)
    gun_hash = collector.gun_hash() if unfinished else None
    for session in unfinished:
        clock = clock_mapping(gun) if session.boot_id == gun.info.boot_id else None
        try:
            if store.seal_session(session.id, clock, gun_hash).status not in UNFINISHED:
                ended.append(session.id)
        except RecordError as error:
            refused.append(str(error))
    collector.acknowledge()
    return SyncReport(
        board_id, collector.stored, collector.duplicates, tuple(ended), tuple(refused)
    )


def verify_gun(gun: Gun, store: Store) -> Proof:
    """Compare the store with the gun's own running hash; changes nothing in either.

    Raises:
        RecordError: if the gun writes records meanwhile.
        LinkError: if the gun stops answering.
    """
    board_id = gun.info.board_id
    begin = store.last_sequence(board_id) + 1
    unstored = list(gun.read_records(begin))
    collected = int.from_bytes(unstored[-1][:4], "little") + 1 if unstored else begin
    gun_hash = settled_hash(gun, collected)
    if gun_hash is None:
        raise RecordError(
            _(
                "Gun {board} writes records while it is compared with the store. Try again when "
                "nothing runs."
            ).format(board=board_id)
        )
    return store.verify_gun(board_id, gun_hash, unstored)
