"""The byte stream to the host: MicroPython's own serial port over USB, without its prompt."""

import select
import sys
import time

import machine
from micropython import const

# What one look at the port takes at most: byte by byte, in which nobody looks at anything else.
_IN_BYTES = const(128)
# A packet of the driver; in front of each its buffer of 256 bytes is at least half empty.
_PIECE_BYTES = const(64)
_PATIENCE_MS = const(5)  # a host that listens takes a packet within 1 ms
# The packet that MicroPython sends, on endpoint 2, is in this buffer until the host has taken it
# (datasheet 4.1.2.5: control word of the buffer, AVAILABLE).
_BUFFER_CONTROL = const(0x50100090)
_UNTAKEN = const(1 << 10)


class Serial:
    """See `gun.ports.Serial`.

    A write to a port whose host has stopped reading would block for 500 ms and then lose what does
    not fit, and `POLLOUT` tells of room for one byte alone. So a piece goes out only behind one
    that the host has taken, and else the rest of a frame is dropped: the host asks again.
    """

    def __init__(self):
        self.source = sys.stdin  # to be polled
        self._bytes = sys.stdin.buffer
        self._sink = sys.stdout.buffer
        self._readable = select.poll()
        self._readable.register(self.source, select.POLLIN)
        self._in = bytearray(_IN_BYTES)
        self._in_view = memoryview(self._in)
        self._nothing = self._in_view[:0]
        self._one = bytearray(1)
        self._length = 0
        self._patience_ms = _PATIENCE_MS

    def fetch(self):
        """Take what has been received, as far as it fits; byte by byte, for more would block."""
        one = self._one
        buf = self._in
        length = self._length
        while length < _IN_BYTES:
            for _ in self._readable.ipoll(0):
                break
            else:
                break  # nothing to read; a method that tells it costs a call a byte
            self._bytes.readinto(one)
            buf[length] = one[0]
            length += 1
        self._length = length

    def take(self):
        if not self._length:
            return self._nothing  # a slice takes memory
        view = self._in_view[: self._length]
        self._length = 0
        return view

    def send(self, data):
        at = 0
        while at < len(data):
            if not self._is_taken():
                # One wait is enough for a host that is gone: the next piece finds out at once.
                self._patience_ms = 0
                return
            self._patience_ms = _PATIENCE_MS
            # A slice takes memory, which what is sent of a shot must not.
            whole = not at and len(data) <= _PIECE_BYTES
            sent = self._sink.write(data if whole else data[at : at + _PIECE_BYTES])
            if not sent:
                return
            at += sent

    def _is_taken(self):
        begin_ms = time.ticks_ms()
        while machine.mem32[_BUFFER_CONTROL] & _UNTAKEN:
            if time.ticks_diff(time.ticks_ms(), begin_ms) >= self._patience_ms:
                return False
        return True
