"""Requests and replies over a transport: numbers, resends, refusals, events; no threads.

The gun keeps its last replies by request number, so a request that is sent again with the same
number is carried out once. START, RESUME and PRIME are still never sent twice: whether an
unanswered one was carried out is asked, not assumed. STOP is sent until it is confirmed.
"""

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mesogun.errors import LinkError, UsageError
from mesogun.link.refusal import Refused
from mesogun.link.transport import Transport
from mesogun.words import _
from mesogun_protocol.enums import EventKind
from mesogun_protocol.fields import Message, MessageError
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.messages import (
    EVENT,
    MESSAGES,
    PRIME,
    REFUSED,
    REPLY_BIT,
    RESUME,
    START,
    STOP,
)

REQUEST_TIMEOUT_S: Final = 0.3
REQUEST_TRIES: Final = 4
"""1.2 s in all: the gun may be deaf for 0.4 s while it erases a flash sector."""

STOP_TIMEOUT_S: Final = 0.1
STOP_TRIES: Final = 20
"""2 s in all, after which a gun that hears nothing ends a host-paced program by itself (R22)."""

NEVER_RESENT: Final = frozenset({START.id, RESUME.id, PRIME.id})
"""Requests that deliver, or let a press of the trigger deliver."""

EVENTS_KEPT: Final = 1024
"""Older events are dropped when nobody takes them; the record is in the journal."""

_CLOCK_STEP_S: Final = 1e-6
"""Less than this is no time: a clock of whole steps would never make up for a rounding."""

_NUMBERS: Final = 0xFFFF
"""Request numbers run from 1 to this; 0 is for frames that belong to no request."""


class NoAnswer(LinkError):
    """The port is there, but no reply came in time."""


class DoseUncertain(LinkError):
    """A dose command got no answer: it may or may not have been carried out.

    Attributes:
        request: name of the message.
    """

    def __init__(self, request: str, cause: str) -> None:
        """Take the name of the message and what went wrong."""
        self.request = request
        super().__init__(
            _(
                "Whether the gun carried out {request} is not known: {cause} It takes no further "
                "dose command until it has been asked (resolve)."
            ).format(request=request, cause=cause)
        )


@dataclass(frozen=True)
class Event:
    """Something that the gun told unasked: a hint to look, never the record.

    Attributes:
        kind: what happened; tells what `a` and `b` are.
        clock_ms: device clock, ms since boot.
        a: see `EventKind`.
        b: see `EventKind`.
    """

    kind: EventKind
    clock_ms: int
    a: int
    b: int


@dataclass(frozen=True)
class Exchange:
    """An answered request.

    Attributes:
        message: the layout of the reply.
        body: the bytes of the reply.
        sent_s: when the request was sent first, s on the transport's clock.
        received_s: when the reply had come, s on the same clock.
    """

    message: Message
    body: bytes
    sent_s: float
    received_s: float

    def fields(self) -> dict[str, Any]:
        """Return the fields of the reply by name.

        Raises:
            LinkError: if the body is not what the protocol defines.
        """
        try:
            return self.message.parse(self.body)
        except MessageError as error:
            raise LinkError(
                _("The gun's answer breaks the protocol ({error}).").format(error=error)
            ) from None


class Link:
    """One conversation with a gun; one request at a time.

    Attributes:
        transport: the open byte stream.
        resent: how often a request was sent again.
        stray: whole frames that belonged to no open request: late or repeated replies, echoes.
        received_bytes: bytes that came from the port, whatever they were.
    """

    def __init__(self, transport: Transport) -> None:
        """Take an open transport; nothing is sent."""
        self.transport = transport
        self.resent = 0
        self.stray = 0
        self.received_bytes = 0
        self._reader = FrameReader()
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        # Each conversation starts at another number, so that a late reply to an earlier one,
        # still in some buffer, does not answer a request of this one.
        self._number = int(transport.wall_clock().timestamp() * 1000) % _NUMBERS

    @property
    def damaged(self) -> int:
        """Pieces of the byte stream that were no sound frame: damage, or text on the same port."""
        return self._reader.dropped

    def request(self, message: Message, **fields: Any) -> dict[str, Any]:
        """Send `message` with `fields` and return the fields of its reply.

        Raises:
            UsageError: if a field breaks its bound; nothing was sent.
            Refused: if the gun refused it; nothing moved.
            DoseUncertain: if START, RESUME or PRIME got no answer.
            LinkError: if another request got no answer, or the port is gone.
        """
        with self._in_doubt(message):
            return self.exchange(message, **fields).fields()

    def exchange(self, message: Message, **fields: Any) -> Exchange:
        """Do what `request` does, and return the reply as bytes with the times of the exchange.

        Raises:
            UsageError: if a field breaks its bound; nothing was sent.
            Refused: if the gun refused it; nothing moved.
            DoseUncertain: if START, RESUME or PRIME got no answer.
            LinkError: if another request got no answer, or the port is gone.
        """
        try:
            body = message.build(**fields)
        except MessageError as error:
            raise UsageError(_("Nothing was sent: {error}.").format(error=error)) from None
        self._number = self._number % _NUMBERS + 1
        # The leading zero ends whatever a broken frame or stray text left in the gun's reader.
        data = b"\0" + encode_frame(Frame(message.id, self._number, body))
        with self._in_doubt(message):
            sent_s = self.transport.monotonic_s()
            frame = self._converse(message, data)
            received_s = self.transport.monotonic_s()
            reply = MESSAGES[frame.message]
            exchange = Exchange(reply, frame.body, sent_s, received_s)
            if reply is REFUSED:
                raise Refused(exchange.fields())
            return exchange

    def listen(self, timeout_s: float) -> list[Event]:
        """Return the events that have come; wait for the first one, not longer than `timeout_s`.

        Raises:
            LinkError: if the port is gone.
        """
        deadline_s = self.transport.monotonic_s() + timeout_s
        while not self._events:
            wait_s = self.left_s(deadline_s)
            for frame in self._receive(wait_s):
                self._take_unasked(frame)
            if wait_s == 0:
                break
        events = list(self._events)
        self._events.clear()
        return events

    def left_s(self, deadline_s: float) -> float:
        """Return the time until `deadline_s` on the transport's clock, exactly 0 when over."""
        left_s = deadline_s - self.transport.monotonic_s()
        return left_s if left_s > _CLOCK_STEP_S else 0.0

    def close(self) -> None:
        """Close the transport."""
        self.transport.close()

    @contextmanager
    def _in_doubt(self, message: Message) -> Generator[None]:
        """Turn a failed exchange of a dose command into `DoseUncertain`."""
        try:
            yield
        except LinkError as error:
            if message.id not in NEVER_RESENT or isinstance(error, DoseUncertain):
                raise
            raise DoseUncertain(message.name, str(error)) from error

    def _converse(self, message: Message, data: bytes) -> Frame:
        timeout_s, tries = REQUEST_TIMEOUT_S, REQUEST_TRIES
        if message is STOP:
            timeout_s, tries = STOP_TIMEOUT_S, STOP_TRIES
        total_s = timeout_s * tries
        if message.id in NEVER_RESENT:
            timeout_s, tries = total_s, 1
        for attempt in range(tries):
            self.resent += attempt > 0
            self.transport.write(data)
            frame = self._await_reply(message, timeout_s)
            if frame is not None:
                return frame
        advice = _("Check its cable and power, then connect again.")
        if message is STOP:
            advice = _("It may still be moving: open the interlock or take its power.")
        port = self.transport.name
        raise NoAnswer(
            _("The gun on {port} did not answer {name} within {total} s. {advice}").format(
                port=port, name=message.name, total=f"{total_s:.1f}", advice=advice
            )
        )

    def _await_reply(self, message: Message, timeout_s: float) -> Frame | None:
        deadline_s = self.transport.monotonic_s() + timeout_s
        reply = None
        while reply is None:
            wait_s = self.left_s(deadline_s)
            for frame in self._receive(wait_s):
                if reply is None and self._answers(frame, message):
                    reply = frame
                else:
                    self._take_unasked(frame)
            if wait_s == 0:
                break
        return reply

    def _answers(self, frame: Frame, message: Message) -> bool:
        if frame.request != self._number:
            return False
        if frame.message == REFUSED.id:
            return frame.body[:1] == bytes([message.id])
        return frame.message == message.id | REPLY_BIT

    def _receive(self, timeout_s: float) -> list[Frame]:
        data = self.transport.read(timeout_s)
        self.received_bytes += len(data)
        return list(self._reader.feed(data))

    def _take_unasked(self, frame: Frame) -> None:
        if frame.message != EVENT.id:
            self.stray += 1
            return
        try:
            self._events.append(Event(**EVENT.parse(frame.body)))
        except MessageError:
            # Before the schemas were compared it may be an event of another definition.
            self.stray += 1
