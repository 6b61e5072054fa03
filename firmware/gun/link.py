"""Requests in, replies out: framing, reply cache, schema gate. Knows the serial port alone.

The last replies are kept by request number, so that a request that is sent again is answered again
and not carried out again. A number that is older than the newest and no longer kept is dropped in
silence: a frame that was held up or replayed must never dose twice (R32). Buffers are made once; a
reply is packed into one and encoded into another.
"""

from micropython import const

from gun import frame, wire
from gun.seal import seal

_HEADER = const(3)  # message u8, request u16
_EVENT_BYTES = _HEADER + wire.SIZE_EVENT
_HALF = const(0x8000)  # request numbers wrap: ahead is the half circle in front of the newest
_U32_MAX = const(0xFFFFFFFF)
_DELIMITER = memoryview(b"\0")


class Refusal(Exception):
    """A request that was not carried out: args are code, field, value, minimum, maximum."""


class Link:
    """One conversation over `serial`; `handler.handle` carries the requests out.

    `heard` and `handled` tell of requests; who reads them sets them back.
    """

    def __init__(self, serial, handler):
        self._serial = serial
        self._handler = handler
        self._reader = frame.FrameReader()
        size = _HEADER + wire.FRAME_BODY_MAX
        self._content = bytearray(size + 4)
        self._encoded = bytearray(frame.ENCODED_MAX + 1)
        self._encoded_view = memoryview(self._encoded)
        self._cache = [bytearray(frame.ENCODED_MAX + 1) for _ in range(wire.REPLY_CACHE)]
        self._cache_view = [memoryview(buf) for buf in self._cache]
        self._cache_request = [0] * wire.REPLY_CACHE
        self._cache_length = [0] * wire.REPLY_CACHE
        self._cache_next = 0
        self._agreed = False
        self._opening = 0  # number of the HELLO that opened the conversation
        self._newest = 0
        self.heard = False
        self.handled = 0
        self._chunk = memoryview(b"")
        self._at = 0
        # Events tell of shots, so they take no memory: all are of one length, and stuffing adds one
        # byte and the zero to it.
        self._event = bytearray(_EVENT_BYTES + 4)
        self._event[0] = wire.MSG_EVENT
        self._event_view = memoryview(self._event)
        self._event_encoded = self._encoded_view[: _EVENT_BYTES + 6]

    def listen(self):
        """Take what has arrived; to be done after each wait."""
        self._chunk = self._serial.take()
        self._at = 0

    def poll(self):
        """Handle the next frame of it; returns False when there is none left."""
        reader = self._reader
        while self._at < len(self._chunk):
            self._at = reader.take(self._chunk, self._at)
            if reader.length:
                self._handle(reader.view, reader.length)
                return True
        return False

    def event(self, kind, clock_ms, a, b):
        """Tell the host something it did not ask for."""
        if self._agreed:
            wire.pack_event(self._event, _HEADER, kind, clock_ms, a, b)
            seal(self._event, _EVENT_BYTES)
            frame.stuff(self._event_view, self._encoded)
            self._put(self._event_encoded)

    def _handle(self, view, length):
        message = view[0]
        request = view[1] | view[2] << 8
        self.heard = True
        self.handled += 1
        if message == wire.MSG_HELLO:
            if request != self._opening:
                self._opening = self._newest = request
                self._forget()
        elif self._answered_before(request) or self._is_stale(request):
            return
        try:
            if message == wire.MSG_HELLO:
                _, schema_hash = wire.unpack_hello(view, _HEADER, length - _HEADER)
                self._agreed = schema_hash == wire.SCHEMA_HASH
            elif not self._agreed and message != wire.MSG_STOP:
                raise Refusal(wire.ERROR_SCHEMA_MISMATCH, 0, 0, 0, 0)
            reply = message | 0x80
            end = self._handler.handle(
                message, view, _HEADER, length - _HEADER, self._content, _HEADER
            )
        except Refusal as refusal:
            reply, end = wire.MSG_REFUSED, self._refuse(message, *refusal.args)
        except wire.WireError as error:
            field, value, minimum, maximum = error.args
            code = wire.ERROR_OUT_OF_RANGE
            if field == wire.WRONG_LENGTH_FIELD:
                code = wire.ERROR_WRONG_LENGTH
            reply, end = (
                wire.MSG_REFUSED,
                self._refuse(message, code, field, value, minimum, maximum),
            )
        slot = self._cache_next
        self._cache_next = (slot + 1) % wire.REPLY_CACHE
        self._cache_request[slot] = request
        self._cache_length[slot] = self._send(
            self._cache[slot], self._cache_view[slot], reply, request, end
        )

    def _answered_before(self, request):
        """Send the reply again if this request has been carried out."""
        for slot in range(wire.REPLY_CACHE):
            if request and self._cache_request[slot] == request:
                self._put(self._cache_view[slot][: self._cache_length[slot]])
                return True
        return False

    def _is_stale(self, request):
        if self._agreed:
            if not 0 < (request - self._newest) & 0xFFFF < _HALF:
                return True
            self._newest = request
        return False

    def _put(self, view):
        # What stands in the stream already, a banner or half a frame, ends before this begins.
        self._serial.send(_DELIMITER)
        self._serial.send(view)

    def _refuse(self, message, code, field, value, minimum, maximum):
        # The sum of a program that is far too large needs more bits than the wire has.
        return wire.pack_refused(
            self._content,
            _HEADER,
            message,
            code,
            field,
            min(value, _U32_MAX),
            min(minimum, _U32_MAX),
            min(maximum, _U32_MAX),
        )

    def _send(self, buf, view, message, request, end):
        content = self._content
        content[0] = message
        content[1] = request & 0xFF
        content[2] = request >> 8
        length = frame.encode(content, end, buf)
        self._put(view[:length])
        return length

    def _forget(self):
        for slot in range(wire.REPLY_CACHE):
            self._cache_request[slot] = 0
