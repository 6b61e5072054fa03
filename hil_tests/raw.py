"""A host without manners: it sends whatever bytes it is told, and checks none of them."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

from mesogun.link import Transport
from mesogun_protocol.enums import ErrorCode
from mesogun_protocol.fields import Message
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.limits import PROGRAM_CHUNK_BYTES, PROTOCOL_VERSION
from mesogun_protocol.messages import (
    HELLO,
    MESSAGES,
    PROGRAM_BEGIN,
    PROGRAM_CHUNK,
    PROGRAM_COMMIT,
    PROGRAM_STEP,
    REFUSED,
)
from mesogun_protocol.rows import fields_of
from mesogun_protocol.schema import SCHEMA_HASH

_ANSWER_S = 0.5


def pack(message: Message, values: Sequence[int]) -> bytes:
    """Pack the fields of a message, in their order, without looking at their bounds."""
    rows = fields_of(message)
    return struct.pack("<" + "".join(row.letter for row in rows), *values)


def program(steps: Sequence[Sequence[int]], total_nl: int, length: int | None = None) -> bytes:
    """Pack a program without looking at its bounds."""
    head = struct.pack("<BI", len(steps) if length is None else length, total_nl)
    return head + b"".join(pack(PROGRAM_STEP, step) for step in steps)


class RawHost:
    """One conversation; `number` is that of the last request."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.number = 1000
        self._reader = FrameReader()
        hello = pack(HELLO, (PROTOCOL_VERSION, SCHEMA_HASH))
        assert self.ask(HELLO.id, hello) is not None

    def frame(self, message_id: int, body: bytes) -> bytes:
        """Return a frame with the next number."""
        self.number += 1
        return b"\0" + encode_frame(Frame(message_id, self.number, body))

    def ask(self, message_id: int, body: bytes) -> Frame | None:
        """Send a request once and return its answer, None if there is none."""
        self.transport.write(self.frame(message_id, body))
        return self.answer()

    def answer(self) -> Frame | None:
        """Wait for the answer to the last request; all else is dropped."""
        deadline_s = self.transport.monotonic_s() + _ANSWER_S
        while (left_s := deadline_s - self.transport.monotonic_s()) > 1e-6:
            for frame in self._reader.feed(self.transport.read(left_s)):
                if frame.request == self.number:
                    return frame
        return None

    def refusal(self, message_id: int, body: bytes) -> tuple[ErrorCode, int]:
        """Send a request that must be refused; return the code and the field."""
        frame = self.ask(message_id, body)
        assert frame is not None, "no answer"
        fields = self._refused(frame)
        assert fields["request"] == message_id
        return fields["code"], fields["field"]

    def upload(self, data: bytes) -> dict[str, Any] | None:
        """Upload `data` as a program; return the refusal, None if the gun took it."""
        crc = zlib.crc32(data)
        requests = [(PROGRAM_BEGIN, struct.pack("<HI", len(data), crc))]
        for at in range(0, len(data), PROGRAM_CHUNK_BYTES):
            part = data[at : at + PROGRAM_CHUNK_BYTES]
            requests.append((PROGRAM_CHUNK, struct.pack("<HH", at, len(part)) + part))
        requests.append((PROGRAM_COMMIT, struct.pack("<I", crc)))
        for message, body in requests:
            frame = self.ask(message.id, body)
            assert frame is not None, "no answer"
            if frame.message == REFUSED.id:
                return self._refused(frame)
        return None

    @staticmethod
    def _refused(frame: Frame) -> dict[str, Any]:
        assert frame.message == REFUSED.id, f"{MESSAGES[frame.message].name} instead of a refusal"
        return REFUSED.parse(frame.body)
