"""What sits at the other end of an emulated UART, byte by byte at the line's speed."""

from collections.abc import Callable

from rp2040py.clock.clock import IClock

from mesogun.emulated.workarounds import Uart


class UartPeer:
    """A partner on one UART."""

    def __init__(self, clock: IClock, uart: Uart, on_byte: Callable[[int], None]) -> None:
        """Connect; `on_byte` gets each byte of the chip when its last bit has come."""
        self._clock = clock
        self._uart = uart
        self._silent_ns = 0.0
        uart.on_byte = on_byte

    def reply(self, data: bytes) -> None:
        """Send `data` to the chip, beginning now or when what was sent before is over."""
        begin_ns = max(self._clock.nanos, self._silent_ns)
        for count, byte in enumerate(data, 1):
            self._feed_at(begin_ns + count * self._uart.byte_ns, byte)
        self._silent_ns = begin_ns + len(data) * self._uart.byte_ns

    def echo(self, byte: int) -> None:
        """Let the chip hear its own byte, as on a line with one wire for both directions."""
        self._uart.feed_byte(byte)

    def _feed_at(self, ns: float, byte: int) -> None:
        self._clock.create_alarm(lambda: self._uart.feed_byte(byte)).schedule(
            ns - self._clock.nanos
        )
