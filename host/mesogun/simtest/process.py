"""The life of one host process: it can be killed between any two things that it does.

What it has sent stays sent, what it has committed stays committed, and nothing of it runs
afterwards: no `finally` reaches the gun or the store.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

from mesogun.gun import Gun, Refused
from mesogun.link import DoseUncertain, Link
from mesogun.simtest.disk import Disk, SimulatedStore
from mesogun.simtest.draw import Absence, Deadly, Death
from mesogun.simtest.rules import Broken, Rule
from mesogun.simtest.stage import Stage
from mesogun_protocol.frame import FrameReader
from mesogun_protocol.messages import PRIME, RESUME, START

_DOSING: Final = {message.id: message for message in (START, RESUME, PRIME)}


class HostKilled(BaseException):
    """This process is no more. Nobody but the simulation catches it."""


class Process:
    """One host process, from its start to its end or its death.

    It is the `Transport` that its `Gun` gets, and counts what could have been its last act.

    Args:
        stage: the gun.
        disk: with the store as the process before has left it.
        death: when it is killed, None if it is not.
        absences: when it stands still.
    """

    name = "sim"

    def __init__(
        self, stage: Stage, disk: Disk, death: Death | None, absences: tuple[Absence, ...]
    ) -> None:
        """Start it."""
        self._disk = disk
        self._stage = stage
        self._death = death
        self._absences = {absence.number: absence.lasting_s for absence in absences}
        self._chances = dict.fromkeys(Deadly, 0)
        self._dead = False
        self._sent = FrameReader()
        self._doses: Counter[tuple[int, int]] = Counter()
        self._wished: Counter[int] = Counter()
        stage.port.open_anew()

    # The transport

    def write(self, data: bytes) -> None:
        """Send `data` over the cable, unless this is the end."""
        self._live(Deadly.CALL)
        for frame in self._sent.feed(data):
            if frame.message in _DOSING:
                self._count_dose(frame.message, frame.request)
        self._stage.cable.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Wait for data, unless this is the end; stand still where that was drawn."""
        self._live(Deadly.CALL)
        absent_s = self._absences.pop(self._chances[Deadly.CALL], None)
        if absent_s is not None:
            world = self._stage.world
            self._stage.witness.counts["host stands still"] += 1
            world.run_unheard(world.now_ns + round(absent_s * 1e9))
        return self._stage.cable.read(timeout_s)

    def monotonic_s(self) -> float:
        """Return simulated seconds."""
        return self._stage.cable.monotonic_s()

    def wall_clock(self) -> datetime:
        """Return simulated time of day."""
        return self._stage.cable.wall_clock()

    def close(self) -> None:
        """The gun goes on."""

    # Life and death

    @contextmanager
    def running(self) -> Generator[SimulatedStore]:
        """Count each statement to the store, until the process has ended or was killed."""
        listened: list[tuple[str, Any]] = [
            ("before_cursor_execute", self._statement),
            ("commit", self._commit),
        ]
        for name, listener in listened:
            event.listen(Engine, name, listener)
        try:
            yield self._disk.store
        finally:
            self._disk.store.close()
            if self._dead:
                self._disk.thaw()
            for name, listener in listened:
                event.remove(Engine, name, listener)

    def _statement(self, *_: object) -> None:
        self._disk.store.now = self.wall_clock()
        self._live(Deadly.STATEMENT)

    def _commit(self, _connection: Connection) -> None:
        self._live(Deadly.STATEMENT)

    def _live(self, where: Deadly) -> None:
        """Do one more thing, or die."""
        if self._dead:
            raise HostKilled
        self._chances[where] += 1
        death = self._death
        if death is None or death.where is not where or death.number != self._chances[where]:
            return
        self._dead = True
        self._stage.witness.counts[f"host killed at a {where}"] += 1
        # What the system has of its files at this moment is what the next process finds.
        self._disk.freeze()
        raise HostKilled

    # What was wished for and what was sent

    def wish(self, message: int) -> None:
        """Somebody asks for a dose command."""
        self._wished[message] += 1

    @property
    def doses_sent(self) -> int:
        """Dose commands that have left so far."""
        return self._doses.total()

    def _count_dose(self, message: int, number: int) -> None:
        self._doses[message, number] += 1
        name = _DOSING[message].name
        if self._doses[message, number] > 1:
            raise Broken(Rule.ONE_DOSE, f"{name} {number} was sent twice")
        sent = sum(each == message for each, _ in self._doses)
        if sent > self._wished[message]:
            raise Broken(
                Rule.ONE_DOSE,
                f"{name} was sent {sent} times and asked for {self._wished[message]} times",
            )


class SimulatedGun(Gun):
    """A `Gun` whose dose commands are counted, and whose settled doubts are compared with truth."""

    def __init__(self, process: Process, stage: Stage) -> None:
        """Greet the gun."""
        self._process = process
        self._stage = stage
        self._session = 0
        super().__init__(Link(process))

    def start(self, session_id: int) -> None:
        """Start, as wished."""
        self._session = session_id
        self._process.wish(START.id)
        super().start(session_id)

    def resume(self, session_id: int) -> None:
        """Resume, as wished."""
        self._session = 0
        self._process.wish(RESUME.id)
        super().resume(session_id)

    def prime(self, dose_nl: int, inject_us: int) -> None:
        """Prime, as wished."""
        self._session = 0
        self._process.wish(PRIME.id)
        super().prime(dose_nl, inject_us)

    def require_blocked(self) -> None:
        """Ask for one more dose while another one is in doubt; it must not be sent."""
        sent = self._process.doses_sent
        with suppress(DoseUncertain, Refused):
            self.prime(1_000, 100_000)
        if self._process.doses_sent != sent:
            raise Broken(Rule.SETTLED, "a dose command was sent while another one was in doubt")

    def resolve(self) -> bool:
        """Settle, and compare a start that is said not to have happened with what happened."""
        done = super().resolve()
        witness = self._stage.witness
        witness.counts[f"doubts settled as {'done' if done else 'not done'}"] += 1
        if self._session and not done:
            if self._session in witness.boot.started:
                raise Broken(
                    Rule.SETTLED,
                    f"the start of session {self._session} was settled as not done, and was done",
                )
            witness.void.add(self._session)
        return done
