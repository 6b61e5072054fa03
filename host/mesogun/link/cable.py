"""A bad cable: seeded faults on a byte stream in both directions, with no clock of its own.

Bytes are cut into frames, which end with a zero byte; bytes that are followed by silence pass as a
piece of their own, so that any protocol gets through. What happens to frame `n` of a direction
follows from the seed, the direction and `n` alone: not from how the bytes were cut when they came,
nor from what else happens on the cable. The same stream therefore meets the same faults.
"""

import re
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import Final, NamedTuple

from mesogun.link.faults import CHANCES, Faults

USB: Final = "usb"
"""Name under which bytes that the device's buffer lost are counted, once for each loss."""

_QUIET_S: Final = 0.02
"""Bytes without a zero wait this long for one."""

_PIECE_MAX: Final = 4096
"""Nor do more than so many wait."""

_GAP_S: Final = (0.001, 0.05)
"""Shortest and longest time between the halves of a split frame."""

_HOLDING: Final = ("glue", "reorder")
_LOSING: Final = ("unplug", "drop")

_FRAME: Final = re.compile(rb"\0*[^\0]+\0")


@dataclass(frozen=True)
class Ends:
    """What a cable needs from the sound port behind it.

    Attributes:
        read: returns what has arrived as soon as there is some, b"" after so many seconds.
        write: sends all of some bytes.
        now_s: seconds that never go back.
    """

    read: Callable[[float], bytes]
    write: Callable[[bytes], object]
    now_s: Callable[[], float]


class Cable:
    """Both directions between a host and a port that works.

    Two threads may use it, one to read and one to write. Bytes move while one of them does, and at
    no other time: what was held up on its way to the device leaves during the next `read`.

    Attributes:
        counts: how often each fault has happened so far, by its name.
        unplugged_s: when it was unplugged, None while it is in.
    """

    def __init__(self, faults: Faults, ends: Ends) -> None:
        """Plug it in."""
        self.counts: Counter[str] = Counter()
        self.unplugged_s: float | None = None
        self._faults = faults
        self._lock = Lock()
        self._to_device = Channel("to device", faults, self.counts)
        self._to_host = Channel("to host", faults, self.counts)
        self.attach(ends)

    def attach(self, ends: Ends) -> None:
        """Use it on a port that was opened anew."""
        self._ends = ends
        self._listened_s = ends.now_s()

    def write(self, data: bytes) -> None:
        """Send `data` towards the device."""
        with self._lock:
            now_s = self._ends.now_s()
            self._to_device.send(data, now_s, now_s)
            self._pass_on(now_s)

    def read(self, timeout_s: float) -> bytes:
        """Return what arrives at the host, b"" after `timeout_s` without any or once unplugged."""
        ends = self._ends
        until_s = ends.now_s() + timeout_s
        if self._faults.usb_buffer:
            # What is there already may have waited for as long as the host did not listen.
            self._arrive(ends.read(0), self._listened_s)
        while True:
            ready, wait_s = self._ready(until_s)
            if ready or self.unplugged_s is not None:
                return ready
            self._arrive(ends.read(max(wait_s, 0)), ends.now_s())
            if wait_s <= 0:
                return self._ready(until_s)[0]

    def wait_sent(self) -> None:
        """Wait until nothing is under way to the device; what arrives meanwhile is kept."""
        while self.unplugged_s is None and (due_s := self._to_device.next_s) is not None:
            self._arrive(self._ends.read(max(due_s - self._ends.now_s(), 0)), self._ends.now_s())
            with self._lock:
                self._pass_on(self._ends.now_s())

    def unplug(self) -> None:
        """Lose the port and everything under way."""
        self.counts["unplug"] += 1
        self._unplug(self._ends.now_s())

    def plugged_in(self) -> bool:
        """Plug it in again if `replug_s` is over; tell whether it is in."""
        if self.unplugged_s is None:
            return True
        if self._ends.now_s() < self.unplugged_s + self._faults.replug_s:
            return False
        self.unplugged_s = None
        return True

    def clear_input(self) -> None:
        """Lose what is on its way to the host."""
        with self._lock:
            self._to_host.clear()

    def _arrive(self, data: bytes, written_s: float) -> None:
        with self._lock:
            self._listened_s = self._ends.now_s()
            self._to_host.send(data, self._listened_s, written_s)

    def _ready(self, until_s: float) -> tuple[bytes, float]:
        """Return what has arrived, and the time until something else happens or `until_s`."""
        with self._lock:
            now_s = self._ends.now_s()
            self._pass_on(now_s)
            if self._faults.usb_buffer:
                self._to_host.overflow(now_s)
            ready = b"".join(self._to_host.take(now_s))
            return ready, min((until_s, *self._due())) - now_s

    def _due(self) -> Iterator[float]:
        for channel in (self._to_device, self._to_host):
            if channel.next_s is not None:
                yield channel.next_s

    def _pass_on(self, now_s: float) -> None:
        for piece in self._to_device.take(now_s):
            self._ends.write(piece)
        if self._to_device.unplugs or self._to_host.unplugs:
            self._unplug(now_s)

    def _unplug(self, now_s: float) -> None:
        self.unplugged_s = now_s
        for channel in (self._to_device, self._to_host):
            channel.unplugs = False
            channel.clear()


class _Piece(NamedTuple):
    """Bytes on their way; `number` keeps those of one moment in order."""

    due_s: float
    number: int
    written_s: float
    data: bytes


class _Held(NamedTuple):
    """A frame that waits for the next one."""

    until_s: float
    written_s: float
    data: bytes
    glued: bool


class Channel:
    """One direction of a cable.

    Attributes:
        unplugs: a frame has met the end of the cable.
    """

    def __init__(self, name: str, faults: Faults, counts: Counter[str]) -> None:
        """Begin with frame 0; `name` makes its faults differ from those of the other direction."""
        self.unplugs = False
        self._name = name
        self._faults = faults
        self._counts = counts
        self._frames = 0
        self._pushed = 0
        self.clear()

    def clear(self) -> None:
        """Lose everything that is under way."""
        self._open = b""
        self._heard_s = self._written_s = self._free_s = 0.0
        self._held: _Held | None = None
        self._pieces: list[_Piece] = []

    def send(self, data: bytes, now_s: float, written_s: float) -> None:
        """Take `data`, which its sender wrote at `written_s` or a little later."""
        self._elapse(now_s)
        if not data:
            return
        if not self._open:
            self._written_s = written_s
        self._open += data
        self._heard_s = now_s
        while not self.unplugs and (match := _FRAME.match(self._open)):
            self._open = self._open[match.end() :]
            self._frame(match[0], now_s)
        if len(self._open) > _PIECE_MAX:
            self._end_open(now_s)

    def take(self, now_s: float) -> list[bytes]:
        """Return the pieces that have arrived by now."""
        self._elapse(now_s)
        ready = [piece.data for piece in self._pieces if piece.due_s <= now_s]
        del self._pieces[: len(ready)]
        return ready

    @property
    def next_s(self) -> float | None:
        """When something happens next without more bytes, None if nothing does."""
        times = [piece.due_s for piece in self._pieces[:1]]
        if self._open:
            times.append(self._heard_s + _QUIET_S)
        if self._held is not None:
            times.append(self._held.until_s)
        return min(times, default=None)

    def overflow(self, now_s: float) -> None:
        """Lose what does not fit into the sender's buffer and has waited there for too long."""
        room = self._faults.usb_buffer
        for place, piece in enumerate(self._pieces):
            kept = piece.data
            if now_s - piece.written_s > self._faults.usb_timeout_s and len(kept) > room:
                kept = kept[:room]
                self._pieces[place] = piece._replace(data=kept)
                self._counts[USB] += 1
            room = max(room - len(kept), 0)

    def _elapse(self, now_s: float) -> None:
        if self._open and now_s >= self._heard_s + _QUIET_S:
            self._end_open(now_s)
        if self._held is not None and now_s >= self._held.until_s:
            held, self._held = self._held, None
            self._push(held.data, held.until_s, held.written_s)

    def _end_open(self, now_s: float) -> None:
        data, self._open = self._open, b""
        self._frame(data, now_s)

    def _frame(self, data: bytes, now_s: float) -> None:
        """Decide what becomes of one frame."""
        lots = Random(f"{self._faults.seed} {self._name} {self._frames}")
        self._frames += 1
        drawn = self._drawn(lots)
        self._counts.update(drawn)
        self.unplugs |= "unplug" in drawn
        if any(name in drawn for name in _LOSING):
            return
        due_s = max(now_s, self._free_s) + lots.uniform(0, self._faults.delay_s)
        if "stall" in drawn:
            due_s += self._faults.stall_s
        if "corrupt" in drawn:
            data = _corrupted(data, lots)
        if "duplicate" in drawn:
            again_s = due_s + lots.uniform(0, self._faults.hold_s)
            self._push(data, again_s, self._written_s, overtakes=True)
        if self._held is not None:
            self._pass_with_held(data, due_s)
        elif "split" in drawn:
            cut = lots.randint(0, len(data))
            self._push(data[:cut], due_s, self._written_s)
            self._push(data[cut:], due_s + lots.uniform(*_GAP_S), self._written_s)
        elif any(name in drawn for name in _HOLDING):
            until_s = due_s + self._faults.hold_s
            self._held = _Held(until_s, self._written_s, data, "glue" in drawn)
        else:
            self._push(data, due_s, self._written_s)

    def _drawn(self, lots: Random) -> list[str]:
        """Draw the faults of one frame, without those that another one leaves no room for."""
        drawn = [name for name in CHANCES if lots.random() < getattr(self._faults, name)]
        if drawn and drawn[0] in _LOSING:
            return drawn[:1]
        places = [name for name in drawn if name == "split" or name in _HOLDING]
        idle = places if self._held is not None else places[1:]
        return [name for name in drawn if name not in idle]

    def _pass_with_held(self, data: bytes, due_s: float) -> None:
        held, self._held = self._held, None
        assert held is not None
        if held.glued:
            self._push(held.data + data, due_s, held.written_s)
        else:
            self._push(data, due_s, self._written_s)
            self._push(held.data, due_s, held.written_s)

    def _push(self, data: bytes, due_s: float, written_s: float, overtakes: bool = False) -> None:
        if not overtakes:
            due_s = self._free_s = max(due_s, self._free_s)
        self._pushed += 1
        insort(self._pieces, _Piece(due_s, self._pushed, written_s, data))


def _corrupted(data: bytes, lots: Random) -> bytes:
    at = lots.randrange(len(data))
    hit = data[at : at + lots.randint(1, 3)]
    changed = bytes(byte ^ lots.randrange(1, 256) for byte in hit)
    return data[:at] + changed + data[at + len(hit) :]
