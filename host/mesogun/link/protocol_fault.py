"""`fault://PORT?drop=0.05&seed=1`: any serial port or URL behind a bad cable, for pyserial.

PORT is what could have been given instead: `fault:///dev/ttyACM0`, `fault://COM3`,
`fault://socket://127.0.0.1:4711`. What stands behind the last `?` are the faults
(`mesogun.link.faults`). Importing `mesogun.link` makes the URL known to pyserial, and so to every
program that opens its ports with `serial_for_url`:

    python -c "import mesogun.link; from serial.tools.miniterm import main; main()" \
        "fault:///dev/ttyACM0?delay_s=0.2" 115200

Bytes move only while the program reads, writes or flushes; there is no thread behind its back. A
cable that was unplugged stays so for the whole process until `replug_s` is over, and goes on with
the next frame after that.
"""

import errno
import time
from typing import Any

import serial
from serial.serialutil import PortNotOpenError, SerialBase, SerialException

from mesogun.link.cable import Cable, Ends
from mesogun.link.faults import Faults, FaultsError

_SCHEME = "fault://"

_LISTEN_S = 1.0
"""How long to listen at once in a read without a time limit."""

_unplugged: dict[str, Cable] = {}
"""Cables that were out when their port was closed, by URL."""


class Serial(SerialBase):
    """A serial port of any kind behind a bad cable; what is not told here is that port's own.

    Attributes:
        cable: what has happened since it was opened, and a hand to pull the plug.
    """

    cable: Cable
    _bare: serial.Serial

    def open(self) -> None:
        """Open the port.

        Raises:
            FaultsError: if the URL names no port, or faults that there are not.
            SerialException: if the port cannot be opened, or its cable is out.
        """
        url = self.port or ""
        port, faults = _parts(url)
        self._arrived = bytearray()
        self._bare = serial.serial_for_url(port, do_not_open=True, exclusive=self.exclusive)
        self._bare.apply_settings(self.get_settings())
        ends = Ends(self._read_sound, self._bare.write, time.monotonic)
        cable = _unplugged.get(url) or Cable(faults, ends)
        if not cable.plugged_in():
            raise SerialException(errno.ENODEV, f"could not open port {url}: it is unplugged")
        self._bare.open()
        _unplugged.pop(url, None)
        cable.attach(ends)
        self.cable = cable
        self.is_open = True

    def close(self) -> None:
        """Give the port back; what is under way is lost."""
        if self.is_open:
            self.is_open = False
            self._bare.close()
            if self.cable.unplugged_s is not None:
                _unplugged[self.port or ""] = self.cable

    def read(self, size: int = 1, /) -> bytes:
        """Return `size` bytes, or fewer when the port's time limit is over.

        Raises:
            SerialException: if the port is gone.
        """
        until_s = None if self.timeout is None else time.monotonic() + self.timeout
        self._listen(0)
        while len(self._arrived) < size:
            left_s = _LISTEN_S if until_s is None else until_s - time.monotonic()
            if left_s <= 0:
                break
            self._listen(left_s)
        data = bytes(self._arrived[:size])
        del self._arrived[:size]
        return data

    def write(self, b: Any, /) -> int:
        """Send all of `b`.

        Raises:
            SerialException: if the port is gone.
        """
        self._require_plugged()
        data = bytes(b)
        self.cable.write(data)
        return len(data)

    def flush(self) -> None:
        """Wait until everything is sent."""
        if self.is_open:
            self.cable.wait_sent()
            self._bare.flush()

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without a wait."""
        self._listen(0)
        return len(self._arrived)

    def reset_input_buffer(self) -> None:
        """Throw away what has arrived."""
        self._require_plugged()
        self._bare.reset_input_buffer()
        self.cable.clear_input()
        self._arrived.clear()

    def __getattr__(self, name: str) -> Any:
        # Signal lines, breaks, buffers: a bad cable leaves them as they are.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._bare, name)

    def _reconfigure_port(self) -> None:
        settings = self.get_settings()
        del settings["timeout"]
        self._bare.apply_settings(settings)

    def _update_rts_state(self) -> None:
        self._bare.rts = self.rts

    def _update_dtr_state(self) -> None:
        self._bare.dtr = self.dtr

    def _update_break_state(self) -> None:
        self._bare.break_condition = self.break_condition

    def _listen(self, timeout_s: float) -> None:
        self._require_plugged()
        self._arrived += self.cable.read(timeout_s)
        if not self._arrived:
            self._require_plugged()

    def _read_sound(self, timeout_s: float) -> bytes:
        self._bare.timeout = timeout_s
        data = bytearray(self._bare.read(1))
        while waiting := self._bare.in_waiting if data else 0:
            data += self._bare.read(waiting)
        return bytes(data)

    def _require_plugged(self) -> None:
        if not self.is_open:
            raise PortNotOpenError
        if self.cable.unplugged_s is not None:
            raise SerialException(errno.ENODEV, f"the cable of {self.port} is unplugged")


def _parts(url: str) -> tuple[str, Faults]:
    rest = url[len(_SCHEME) :]
    port, mark, query = rest.rpartition("?")
    if not mark:
        port, query = rest, ""
    if not port:
        raise FaultsError(
            f"{url!r} names no port: give one, such as {_SCHEME}/dev/ttyACM0?drop=0.05&seed=1."
        )
    return port, Faults.parse(query)
