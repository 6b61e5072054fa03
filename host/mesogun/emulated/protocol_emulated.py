"""pyserial's `emulated://NAME`: the USB port of an emulated board, for programs of this process.

Emulated time passes while the program waits, so none of it depends on the computer's speed.
"""

import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import serial
from serial import SerialBase

from mesogun.emulated.pico import Pico

_SCHEME: Final = "emulated://"
_PACKAGE: Final = __name__.rpartition(".")[0]
_LOOK_NS: Final = 2_000_000

_boards: dict[str, Pico] = {}


@contextmanager
def on_pyserial(pico: Pico, name: str = "board") -> Generator[str]:
    """Offer a board to pyserial under `name` as long as the context lasts; yields its URL."""
    packages = serial.protocol_handler_packages
    if _PACKAGE not in packages:
        packages.append(_PACKAGE)
    _boards[name] = pico
    try:
        yield _SCHEME + name
    finally:
        del _boards[name]


class Serial(SerialBase):
    """What pyserial makes of such a URL."""

    _pico: Pico
    _heard: bytearray

    def open(self) -> None:
        """Take the board of that name."""
        self._pico = _boards[str(self.port).removeprefix(_SCHEME)]
        self._heard = bytearray()
        self.is_open = True

    def close(self) -> None:
        """Let go of the board; it goes on when somebody waits for it again."""
        self.is_open = False

    @property
    def in_waiting(self) -> int:
        """Let a moment pass and return how many bytes have come."""
        self._listen()
        return len(self._heard)

    def read(self, size: int = 1) -> bytes:
        """Return `size` bytes, less if the time-out is over; it is one of emulated time."""
        patience_s = math.inf if self.timeout is None else self.timeout
        end_ns = self._pico.now_ns + patience_s * 1e9
        while len(self._heard) < size and self._pico.now_ns < end_ns:
            self._listen()
        data = bytes(self._heard[:size])
        del self._heard[:size]
        return data

    def write(self, data: Any, /) -> int:
        """Send bytes; takes no time."""
        self._pico.send(bytes(data))
        return len(data)

    def _listen(self) -> None:
        if not self._heard:
            self._pico.run(self._pico.now_ns + _LOOK_NS)
        self._heard += self._pico.receive()

    def _reconfigure_port(self) -> None:
        """There is no line whose settings matter."""

    def _update_dtr_state(self) -> None:
        """The emulated host always listens."""

    _update_rts_state = _update_dtr_state
