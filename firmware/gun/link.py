"""Requests in, replies out: framing, reply cache and the schema gate. Knows no hardware but the serial port.

The last replies are kept by request number, so that a request that is sent again is answered again and not
carried out again. Buffers are made once; a reply is packed into one and encoded into another.
"""

from micropython import const

from gun import frame, wire

_HEADER = const(3)  # message u8, request u16


class Refusal(Exception):
    """A request that was not carried out: args are code, field, value, minimum, maximum."""


class Link:
    """One conversation over `serial`; `handler.handle(message, body, start, length, reply)` does the work."""

    def __init__(self, serial, handler):
        self._serial = serial
        self._handler = handler
        self._reader = frame.FrameReader()
        size = _HEADER + wire.FRAME_BODY_MAX
        self._content = bytearray(size + 4)
        self._content_view = memoryview(self._content)
        self._encoded = bytearray(frame.ENCODED_MAX + 1)
        self._encoded_view = memoryview(self._encoded)
        self._cache = [bytearray(frame.ENCODED_MAX + 1) for _ in range(wire.REPLY_CACHE)]
        self._cache_view = [memoryview(buf) for buf in self._cache]
        self._cache_request = [0] * wire.REPLY_CACHE
        self._cache_length = [0] * wire.REPLY_CACHE
        self._cache_next = 0
        self._agreed = False
        self.heard = False

    def poll(self):
        """Handle everything that has arrived."""
        chunk = self._serial.take()
        at = 0
        reader = self._reader
        while at < len(chunk):
            at = reader.take(chunk, at)
            if reader.length:
                self._handle(reader.view, reader.length)

    def event(self, kind, clock_ms, a, b):
        """Tell the host something it did not ask for."""
        if self._agreed:
            end = wire.pack_event(self._content, _HEADER, kind, clock_ms, a, b)
            self._send(self._encoded, self._encoded_view, wire.MSG_EVENT, 0, end)

    def _handle(self, view, length):
        message = view[0]
        request = view[1] | view[2] << 8
        self.heard = True
        if message == wire.MSG_HELLO:
            self._forget()
        elif request:
            for slot in range(wire.REPLY_CACHE):
                if self._cache_request[slot] == request:
                    self._serial.send(self._cache_view[slot][: self._cache_length[slot]])
                    return
        try:
            if message == wire.MSG_HELLO:
                _, schema_hash = wire.unpack_hello(view, _HEADER, length - _HEADER)
                self._agreed = schema_hash == wire.SCHEMA_HASH
            elif not self._agreed:
                raise Refusal(wire.ERROR_SCHEMA_MISMATCH, 0, 0, 0, 0)
            reply = message | 0x80
            end = self._handler.handle(message, view, _HEADER, length - _HEADER, self._content, _HEADER)
        except Refusal as refusal:
            reply, end = wire.MSG_REFUSED, self._refuse(message, *refusal.args)
        except wire.WireError as error:
            field, value, minimum, maximum = error.args
            code = wire.ERROR_WRONG_LENGTH if field == 255 else wire.ERROR_OUT_OF_RANGE
            reply, end = wire.MSG_REFUSED, self._refuse(message, code, field, value, minimum, maximum)
        slot = self._cache_next
        self._cache_next = (slot + 1) % wire.REPLY_CACHE
        self._cache_request[slot] = request
        self._cache_length[slot] = self._send(
            self._cache[slot], self._cache_view[slot], reply, request, end
        )

    def _refuse(self, message, code, field, value, minimum, maximum):
        return wire.pack_refused(self._content, _HEADER, message, code, field, value, minimum, maximum)

    def _send(self, buf, view, message, request, end):
        content = self._content
        content[0] = message
        content[1] = request & 0xFF
        content[2] = request >> 8
        length = frame.encode(content, end, buf)
        self._serial.send(view[:length])
        return length

    def _forget(self):
        for slot in range(wire.REPLY_CACHE):
            self._cache_request[slot] = 0
