"""pyserial's `emulated://NAME`: USB of an emulated board, whose time passes while one waits."""

from typing import Any

from serial import SerialBase

from mesogun.emulated.pico import Pico

BOARDS: dict[str, Pico] = {}

_LOOK_NS = 2_000_000


class Serial(SerialBase):
    """What pyserial makes of such a URL."""

    _pico: Pico

    def open(self) -> None:
        self._pico = BOARDS[str(self.port).removeprefix("emulated://")]
        self._heard = bytearray()
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def _reconfigure_port(self) -> None:
        """There is no line whose settings matter."""

    def _update_dtr_state(self) -> None:
        """The emulated host always listens."""

    _update_rts_state = _update_dtr_state

    @property
    def in_waiting(self) -> int:
        self._listen(_LOOK_NS)
        return len(self._heard)

    def read(self, size: int = 1) -> bytes:
        end_ns = self._pico.now_ns + round((self.timeout or 0) * 1e9)
        while len(self._heard) < size and self._pico.now_ns < end_ns:
            self._listen(_LOOK_NS)
        data = bytes(self._heard[:size])
        del self._heard[:size]
        return data

    def write(self, data: Any, /) -> int:
        self._pico.send(bytes(data))
        return len(data)

    def _listen(self, ns: int) -> None:
        if not self._heard:
            self._pico.run(self._pico.now_ns + ns)
        self._heard += self._pico.receive()
