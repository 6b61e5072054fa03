"""Any transport behind a bad cable, such as one to a virtual gun."""

from datetime import datetime

from mesogun.errors import LinkError, PortError
from mesogun.link.cable import Cable, Ends
from mesogun.link.faults import Faults
from mesogun.link.transport import Transport


class FaultyTransport:
    """A `Transport` that does to the bytes of another what a bad cable does (`faults`).

    Time is that of `inner` and moves in its `read` alone, so a simulated run stays repeatable.

    Attributes:
        cable: what has happened so far, and a hand to pull the plug.
    """

    def __init__(self, inner: Transport, faults: Faults) -> None:
        """Put the cable in front of `inner`, which is owned from here on."""
        self._inner = inner
        self.cable = Cable(faults, Ends(inner.read, inner.write, inner.monotonic_s))

    @property
    def name(self) -> str:
        """What a person calls the port."""
        return self._inner.name

    def write(self, data: bytes) -> None:
        """Send `data`.

        Raises:
            LinkError: if the cable is unplugged, or the port behind it is gone.
        """
        self._require_plugged()
        self.cable.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, b"" after `timeout_s` without any.

        While the cable is unplugged, that time passes and what the gun says is lost.

        Raises:
            LinkError: if the cable is unplugged, or the port behind it is gone.
        """
        if self.cable.unplugged_s is None:
            data = self.cable.read(timeout_s)
            if data:
                return data
        else:
            self._lose(timeout_s)
        self._require_plugged()
        return b""

    def reopen(self) -> None:
        """Open the port again after the cable was unplugged; the conversation is to be greeted.

        Raises:
            PortError: if the cable is still out.
        """
        if not self.cable.plugged_in():
            raise PortError(
                f"Cannot open {self.name}: there is no such port; plug the cable in again."
            )
        self._lose(0)

    def monotonic_s(self) -> float:
        """Return the seconds of the transport behind the cable."""
        return self._inner.monotonic_s()

    def wall_clock(self) -> datetime:
        """Return the time of day of the transport behind the cable."""
        return self._inner.wall_clock()

    def close(self) -> None:
        """Close the transport behind the cable."""
        self._inner.close()

    def _lose(self, timeout_s: float) -> None:
        """Let time pass with nobody to listen."""
        until_s = self._inner.monotonic_s() + timeout_s
        while self._inner.read(max(until_s - self._inner.monotonic_s(), 0)):
            pass

    def _require_plugged(self) -> None:
        if self.cable.unplugged_s is not None:
            raise LinkError(
                f"The connection on {self.name} is lost (unplugged). Check the cable, then connect "
                "again and read the gun's records."
            )
