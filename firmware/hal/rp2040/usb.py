"""The byte stream to the host: MicroPython's own serial port over USB, without its prompt."""

import select
import sys
import time

import micropython
from micropython import const

_IN_BYTES = const(1024)
# The driver sends packets of 64 bytes; a longer write may wait for the host several times.
_PIECE_BYTES = const(64)
_FULL_MS = const(5)  # a host that reads empties the driver's buffer of 256 bytes in less than 1 ms
_LISTENING_MS = const(1000)  # a host that has sent something this long ago is taken to read as well


class Serial:
    """See `gun.ports.Serial`.

    A write to a port whose host has stopped reading would block for 500 ms and then lose what does
    not fit: so bytes go out only as long as there is room, and the rest of a frame is dropped. The
    host asks again.
    """

    def __init__(self):
        # Otherwise a byte 0x03 in a frame would stop the firmware and lead to the prompt.
        micropython.kbd_intr(-1)
        self.source = sys.stdin  # to be polled
        self._bytes = sys.stdin.buffer
        self.source = sys.stdin  # to be polled
        self._bytes = sys.stdin.buffer
        self._sink = sys.stdout.buffer
        self._readable = select.poll()
        self._readable.register(self.source, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sys.stdout, select.POLLOUT)
        self._in = bytearray(_IN_BYTES)
        self._in_view = memoryview(self._in)
        self._one = bytearray(1)
        self._length = 0
        self._heard_ms = time.ticks_add(time.ticks_ms(), -_LISTENING_MS)

    def fetch(self):
        """Take what has been received, as far as it fits; byte by byte, for more would block."""
        one = self._one
        buf = self._in
        length = self._length
        while length < _IN_BYTES and _ready(self._readable, 0):
            self._bytes.readinto(one)
            buf[length] = one[0]
            length += 1
        if length != self._length:
            self._length = length
            self._heard_ms = time.ticks_ms()

    def take(self):
        view = self._in_view[: self._length]
        self._length = 0
        return view

    def send(self, data):
        # Room for one byte is all that can be known. A host that listens makes room for a piece in
        # no time; for one that may be gone the pieces are bytes, which never wait.
        listening = time.ticks_diff(time.ticks_ms(), self._heard_ms) < _LISTENING_MS
        piece = _PIECE_BYTES if listening else 1
        patience_ms = _FULL_MS if listening else 0
        at = 0
        while at < len(data) and _ready(self._writable, patience_ms):
            sent = self._sink.write(data[at : at + piece])
            if not sent:
                break
            at += sent


def _ready(poll, timeout_ms):
    for _ in poll.ipoll(timeout_ms):
        return True
    return False
