"""The host's end of a cable to a gun in software."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Always the same time of day: the first request number of a conversation comes from it."""


class Port(Protocol):
    """What the cable goes to."""

    def write(self, data: bytes) -> None: ...
    def read(self, timeout_s: float) -> bytes: ...
    def monotonic_s(self) -> float: ...


class Cable:
    """One connection; a new one takes nothing over from the one before."""

    name = "bench"

    def __init__(self, port: Port, number: int) -> None:
        """Plug it in, as the `number`-th of this bench."""
        self._port = port
        # No host starts twice within a millisecond; in simulated time it could.
        self._opened = _EPOCH + timedelta(seconds=number)

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self, timeout_s: float) -> bytes:
        return self._port.read(timeout_s)

    def monotonic_s(self) -> float:
        return self._port.monotonic_s()

    def wall_clock(self) -> datetime:
        return self._opened + timedelta(seconds=self.monotonic_s())

    def close(self) -> None:
        """Nothing to do: the gun goes on."""
