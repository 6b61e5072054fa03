"""What sits at the other end of an emulated UART, byte by byte at the line's speed."""

from collections.abc import Callable
from typing import Final

from rp2040py.clock.clock import IClock
from rp2040py.peripherals.uart import RPUART

_BITS_OF_A_BYTE: Final = 10  # start, eight of data, stop


class UartPeer:
    """A partner on one UART.

    The package hands a byte over in the moment in which the chip writes it; here it takes its time
    on the line.
    """

    def __init__(self, clock: IClock, uart: RPUART, on_byte: Callable[[int], None]) -> None:
        """Connect; `on_byte` gets each byte of the chip when its last bit has come."""
        self._clock = clock
        self._uart = uart
        self._on_byte = on_byte
        self._from_chip_ns = 0.0
        self._to_chip_ns = 0.0
        uart.on_byte = self._sent

    def reply(self, data: bytes) -> None:
        """Send `data` to the chip, beginning now or when what was sent before is over."""
        begin_ns = max(self._clock.nanos, self._to_chip_ns)
        for count, byte in enumerate(data, 1):
            self._later(begin_ns + count * self._byte_ns, self._uart.feed_byte, byte)
        self._to_chip_ns = begin_ns + len(data) * self._byte_ns

    def echo(self, byte: int) -> None:
        """Let the chip hear its own byte, as on a line with one wire for both directions."""
        self._uart.feed_byte(byte)

    @property
    def _byte_ns(self) -> float:
        return _BITS_OF_A_BYTE * 1e9 / self._uart.baud_rate

    def _sent(self, byte: int) -> None:
        self._from_chip_ns = max(self._clock.nanos, self._from_chip_ns) + self._byte_ns
        self._later(self._from_chip_ns, self._on_byte, byte)

    def _later(self, ns: float, call: Callable[[int], None], byte: int) -> None:
        self._clock.create_alarm(lambda: call(byte)).schedule(ns - self._clock.nanos)
