"""Frames: COBS(header, body, CRC-32) and a zero byte; bytes in, messages out, no I/O.

CRC-32 rather than 16 bits, because a 16-bit CRC lets 15 of a million random corruptions through.
The CRC is `zlib.crc32`, which MicroPython has in C as `binascii.crc32`.
"""

import struct
import zlib
from dataclasses import dataclass

from cobs import cobs  # pyright: ignore[reportMissingTypeStubs]

from mesogun_protocol.limits import FRAME_BODY_MAX

_HEADER = struct.Struct("<BH")
_CRC = struct.Struct("<I")
OVERHEAD_BYTES = _HEADER.size + _CRC.size
#: Longest encoded frame without its delimiter: COBS adds one byte, and one more for each 254.
ENCODED_MAX = FRAME_BODY_MAX + OVERHEAD_BYTES + 1 + (FRAME_BODY_MAX + OVERHEAD_BYTES) // 254


@dataclass(frozen=True)
class Frame:
    """One frame: message id, number of the request it belongs to (0 = none), body."""

    message: int
    request: int
    body: bytes


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of `frame` with its delimiter.

    Raises:
        ValueError: if the body is longer than FRAME_BODY_MAX or a header field does not fit.
    """
    if len(frame.body) > FRAME_BODY_MAX:
        raise ValueError(
            f"a body of {len(frame.body)} bytes exceeds FRAME_BODY_MAX = {FRAME_BODY_MAX}"
        )
    try:
        content = _HEADER.pack(frame.message, frame.request) + frame.body
    except struct.error as error:
        raise ValueError(str(error)) from None
    checked = content + _CRC.pack(zlib.crc32(content))
    return cobs.encode(checked) + b"\0"  # pyright: ignore[reportUnknownMemberType]


def decode_frame(encoded: bytes) -> Frame | None:
    """Return the frame in `encoded` (without delimiter), None if it is not whole and sound."""
    if len(encoded) > ENCODED_MAX:
        return None
    try:
        content = cobs.decode(encoded)  # pyright: ignore[reportUnknownMemberType]
    except cobs.DecodeError:
        return None
    if not OVERHEAD_BYTES <= len(content) <= OVERHEAD_BYTES + FRAME_BODY_MAX:
        return None
    body_end = len(content) - _CRC.size
    if zlib.crc32(content[:body_end]) != _CRC.unpack_from(content, body_end)[0]:
        return None
    message, request = _HEADER.unpack_from(content)
    return Frame(message, request, content[_HEADER.size : body_end])


class FrameReader:
    """Cuts a byte stream into frames and is in step again at the next zero byte.

    Attributes:
        dropped: frames that were damaged or too long.
    """

    def __init__(self) -> None:
        """Start with an empty buffer."""
        self._buffer = bytearray()
        self._too_long = False
        self.dropped = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take all of `data` and return the whole frames that it completes."""
        frames: list[Frame] = []
        *ended, rest = data.split(b"\0")
        for piece in ended:
            self._append(piece)
            frame = self._finish()
            if frame is not None:
                frames.append(frame)
        self._append(rest)
        return frames

    def _append(self, piece: bytes) -> None:
        if len(self._buffer) + len(piece) > ENCODED_MAX:
            self._too_long = True
            self._buffer.clear()
        elif not self._too_long:
            self._buffer += piece

    def _finish(self) -> Frame | None:
        encoded, too_long = bytes(self._buffer), self._too_long
        self._buffer.clear()
        self._too_long = False
        if not encoded and not too_long:
            return None
        frame = None if too_long else decode_frame(encoded)
        if frame is None:
            self.dropped += 1
        return frame
