"""Frames on the device: COBS(message u8, request u16, body, CRC-32) and a zero, in fixed buffers.

Both directions copy whole runs and then visit only the zeros, because a Python loop over each byte
would take longer than the byte takes on the wire.
"""

from binascii import crc32
from struct import pack_into, unpack_from

from gun import wire

_OVERHEAD = 3 + 4  # header and CRC
_CONTENT_MAX = wire.FRAME_BODY_MAX + _OVERHEAD
_BLOCK = 0xFF  # code of a block of 254 bytes that no zero follows

# Longest frame without its delimiter: COBS adds one byte, and one more for each 254.
ENCODED_MAX = _CONTENT_MAX + 1 + _CONTENT_MAX // 254


def encode(content, length, out):
    # Frames the first `length` bytes of `content`, which needs 4 more for the CRC, into `out`,
    # which needs ENCODED_MAX + 1. Both are bytearrays. Returns the bytes in `out` with delimiter.
    source = memoryview(content)
    pack_into("<I", content, length, crc32(source[:length]))
    return stuff(source[: length + 4], out)


def stuff(source, out):
    # Frames `source`, CRC and all; takes no memory for one of up to 253 bytes.
    length = len(source)
    end = length + 1
    out[1:end] = source
    code = 0
    added = 1
    while True:
        block_end = code + _BLOCK
        zero = out.find(b"\0", code + 1, min(end, block_end))
        if zero >= 0:
            out[code] = zero - code
            code = zero
        elif end <= block_end:
            out[code] = end - code
            out[end] = 0
            return end + 1
        else:
            out[code] = _BLOCK
            out[block_end + 1 : end + 1] = source[block_end - added : length]
            code = block_end
            added += 1
            end += 1


class FrameReader:
    # Cuts bytes into frames and is in step again at the next zero byte.
    # length: bytes of message, request and body in `view`, 0 as long as there is no whole frame.
    # dropped: frames that were damaged or too long.

    def __init__(self):
        self._raw = bytearray(ENCODED_MAX + 1)
        self._raw_view = memoryview(self._raw)
        self._fill = 0
        self._too_long = False
        self.buffer = bytearray(ENCODED_MAX)
        self.view = memoryview(self.buffer)
        self.length = 0
        self.dropped = 0

    def take(self, chunk, at):
        # Takes from the memoryview `chunk`, not beyond the end of a frame. Returns where to go on.
        fill = self._fill
        count = min(len(chunk) - at, len(self._raw) - fill)
        end = fill + count
        self._raw_view[fill:end] = chunk[at : at + count]
        zero = self._raw.find(b"\0", fill, end)
        self.length = 0
        if zero >= 0:
            self._finish(zero)
            return at + zero - fill + 1
        if end == len(self._raw):
            self._too_long = True
            end = 0
        self._fill = end
        return at + count

    def _finish(self, end):
        if self._too_long:
            self.dropped += 1
        elif end:
            self.length = self._decode(end)
            if not self.length:
                self.dropped += 1
        self._fill = 0
        self._too_long = False

    def _decode(self, end):
        raw = self._raw
        start = 1
        length = 0
        step = raw[0]
        at = step
        while at < end:
            following = raw[at]
            if step == _BLOCK:
                length = self._copy(start, at, length)
                start = at + 1
            else:
                raw[at] = 0
            step = following
            at += step
        if at > end:
            return 0
        length = self._copy(start, end, length)
        if not _OVERHEAD <= length <= _CONTENT_MAX:
            return 0
        length -= 4
        if crc32(self.view[:length]) != unpack_from("<I", self.buffer, length)[0]:
            return 0
        return length

    def _copy(self, start, end, to):
        stop = to + end - start
        self.view[to:stop] = self._raw_view[start:end]
        return stop
