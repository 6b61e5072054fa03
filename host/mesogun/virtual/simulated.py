"""A transport whose time is simulated: it moves while the host waits in `read`, nowhere else."""

import math
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from mesogun.errors import LinkError

_PIECE_S: Final = 0.01
"""Longest piece of simulated time between two looks at the wall clock when the speed is limited, so
that keys and displays stay live."""

_FELL_BEHIND_S: Final = 0.2
"""A simulation that is later than that goes on from where it is and does not catch up: the process
was suspended, or simulating costs more than the time it simulates."""


class SimulatedWorld(Protocol):
    """A gun in its surroundings, with the simulated time."""

    @property
    def now_ns(self) -> int:
        """Simulated time."""
        ...

    def run(self, until_ns: int) -> None:
        """Let time pass until then, or until there are bytes for the host."""
        ...

    def send(self, data: bytes) -> None:
        """Bytes from the host."""
        ...

    def receive(self) -> bytes:
        """Bytes for the host that have arrived so far."""
        ...


class SimulatedTransport:
    """A `Transport` to a simulated gun, at a pace.

    Args:
        world: the gun and its surroundings.
        speed: simulated seconds a second, None for as fast as it goes.
    """

    def __init__(self, world: SimulatedWorld, speed: float | None) -> None:
        """Take a gun that is switched on; its time goes on from where it is."""
        self._simulated = world
        self._speed = speed
        self._closed = False
        self._opened = datetime.now(UTC)
        self._started_s = time.monotonic() - self._paced_s()

    def write(self, data: bytes) -> None:
        """Send `data`; takes no simulated time."""
        self._check_open()
        self._simulated.send(data)

    def read(self, timeout_s: float) -> bytes:
        """Let simulated time pass until the gun says something or `timeout_s` is over."""
        self._check_open()
        world = self._simulated
        # Rounded up: a wait whose rest was computed in floating point must come to its end.
        until_ns = world.now_ns + math.ceil(timeout_s * 1e9)
        while True:
            piece_ns = until_ns if self._speed is None else world.now_ns + round(_PIECE_S * 1e9)
            with _without_interrupt():
                world.run(min(piece_ns, until_ns))
            self._keep_pace()
            data = world.receive()
            if data or world.now_ns >= until_ns:
                return data

    def monotonic_s(self) -> float:
        """Return simulated seconds since the gun was switched on."""
        return self._simulated.now_ns / 1e9

    def wall_clock(self) -> datetime:
        """Return the time at which the gun was opened plus simulated time."""
        return self._opened + timedelta(seconds=self.monotonic_s())

    @contextmanager
    def at_full_speed(self) -> Generator[None]:
        """Let no wall time pass for simulated time, as while records are read."""
        speed, self._speed = self._speed, None
        try:
            yield
        finally:
            self._speed = speed
            self._started_s = time.monotonic() - self._paced_s()

    def _paced_s(self) -> float:
        return self.monotonic_s() / self._speed if self._speed is not None else 0.0

    def _keep_pace(self) -> None:
        if self._speed is None:
            return
        ahead_s = self._paced_s() - (time.monotonic() - self._started_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
        elif ahead_s < -_FELL_BEHIND_S:
            self._started_s = time.monotonic() - self._paced_s()

    def _check_open(self) -> None:
        if self._closed:
            raise LinkError("The simulated gun is switched off; open the port again.")


@contextmanager
def _without_interrupt() -> Generator[None]:
    """Hold a Ctrl-C back: in the middle of a simulated moment it would leave half of it undone."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
