"""Listens at the gun's serial port: which request came, which one it carried out, which it refused.

Frames are taken apart as the gun gets them, behind the cable and all its faults. What a boot has
not finished dies with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mesogun_protocol.fields import Message
from mesogun_protocol.frame import Frame, FrameReader
from mesogun_protocol.messages import (
    ARM,
    EVENT,
    HELLO,
    MESSAGES,
    PRIME,
    REFUSED,
    REPLY_BIT,
    RESUME,
    START,
)


@dataclass
class Request:
    """A request that has reached the gun whole.

    Attributes:
        message: its layout.
        number: its number on the wire.
        body: what it says.
        repeated: the gun has answered it before.
    """

    message: Message
    number: int
    body: bytes
    repeated: bool = False

    def fields(self) -> dict[str, Any]:
        """Return the fields of a request that the gun has carried out."""
        return self.message.parse(self.body)


DOSING: Final = frozenset({ARM.id, START.id, RESUME.id, PRIME.id})
"""Commands that must never be carried out twice."""

_NO_HELLO: Final = -1


class Gate:
    """One boot of the gun's serial port.

    Attributes:
        repeated: dose commands that came again after they had been answered.
    """

    def __init__(self) -> None:
        """Begin with a gun that has heard nothing."""
        self.repeated = 0
        self._to_gun = FrameReader()
        self._to_host = FrameReader()
        self._waiting: dict[tuple[int, int], Request] = {}
        self._answered: set[tuple[int, int]] = set()
        self._opening = _NO_HELLO

    def arrive(self, data: bytes) -> list[Request]:
        """Take bytes that the gun gets; return the requests that end in them."""
        found = [_request(frame) for frame in self._to_gun.feed(data)]
        requests = [request for request in found if request is not None]
        for request in requests:
            key = (request.message.id, request.number)
            if request.message is HELLO and request.number != self._opening:
                # A conversation begins; numbers may come again in it.
                self._opening = request.number
                self._answered.clear()
            request.repeated = key in self._answered
            if not request.repeated:
                self._waiting[key] = request
            elif request.message.id in DOSING:
                self.repeated += 1
        return requests

    def is_waiting(self, message: Message) -> bool:
        """Tell whether a request of this kind has come and was not answered yet."""
        return any(kind == message.id for kind, _ in self._waiting)

    def leave(self, data: bytes) -> Iterator[Request | dict[str, Any]]:
        """Take bytes that the gun sends.

        Yields:
            Each request that was carried out by its first answer, and the fields of each event.
        """
        for frame in self._to_host.feed(data):
            if frame.message == EVENT.id:
                yield EVENT.parse(frame.body)
                continue
            refused = frame.message == REFUSED.id
            about = frame.body[0] if refused else frame.message & ~REPLY_BIT
            request = self._waiting.pop((about, frame.request), None)
            if request is None:
                continue
            self._answered.add((about, frame.request))
            if not refused:
                yield request


def _request(frame: Frame) -> Request | None:
    message = MESSAGES.get(frame.message)
    if message is None or message.id & REPLY_BIT:
        return None
    return Request(message, frame.request, frame.body)
