"""What the link needs from a cable: bytes out, bytes in, and the time that passes while it waits.

The host has one thread. Time moves only inside `Transport.read`, so a virtual gun can run while the
host waits and at no other moment; that makes a session of host, link and simulated gun repeatable.
"""

from datetime import datetime
from typing import Protocol


class Transport(Protocol):
    """An open byte stream to one gun, with a clock of its own.

    `write` and `read` raise `LinkError` when the stream is gone: cable pulled, gun off, process
    ended.
    """

    @property
    def name(self) -> str:
        """What a person calls the port: `/dev/ttyACM0`, `COM3`, `sim`."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`; takes no simulated time."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived as soon as there is some, b"" after `timeout_s` without any.

        With 0 it returns at once. Nowhere else does time pass.
        """
        ...

    def monotonic_s(self) -> float:
        """Return seconds from some start, never going back; simulated for a virtual gun."""
        ...

    def wall_clock(self) -> datetime:
        """Return the time of day in UTC, aware of its zone; simulated for a virtual gun."""
        ...

    def close(self) -> None:
        """Give the port back. May be called twice."""
        ...
