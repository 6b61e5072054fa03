"""The pulse state machine of the gun as arithmetic: pulse words in, motor motion out.

Times are simulated nanoseconds. Nothing here runs once a step, so a session that is one long
segment costs as much as a single pulse; `Run.edges` spells the pulses out for those who want to
see them.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mesogun.errors import MesogunError
from mesogun_protocol.pulse import EDGE_TICKS, SEGMENT_TICKS, TICK_NS, Segment, decode_segment

CAPACITY_BLOCKS = 2
QUEUED_SEGMENTS = 2
"""What the hardware's queue of four words holds."""


class PulseStreamError(MesogunError):
    """The firmware used the pulse state machine in a way that no hardware allows."""


@dataclass(frozen=True, slots=True)
class Run:
    """Pulses at one rate and in one direction, as they appeared on the STEP pin.

    Attributes:
        start_ns: begin of the motion.
        end_ns: end of the motion; all edges lie between the two.
        first_edge_ns: first rising edge.
        interval_ns: time between two edges. It tells the speed also where a run is cut so short
            that `pulses / (end_ns - start_ns)` does not.
        pulses: rising edges, 1 or more.
        forward: True if the plunger delivers.
        driven: True if the driver was on, so that the motor followed.
    """

    start_ns: int
    end_ns: int
    first_edge_ns: int
    interval_ns: int
    pulses: int
    forward: bool
    driven: bool

    @property
    def steps(self) -> int:
        """Pulses, negative if they went backward."""
        return self.pulses if self.forward else -self.pulses

    def edges(self) -> Iterator[int]:
        """Yield the time of each rising edge in ns."""
        return (self.first_edge_ns + n * self.interval_ns for n in range(self.pulses))

    def split(self, pulses: int) -> tuple["Run", "Run"]:
        """Cut the run at its `pulses`-th edge, which belongs to the first part."""
        cut_ns = self.first_edge_ns + (pulses - 1) * self.interval_ns
        return (
            replace(self, end_ns=cut_ns, pulses=pulses),
            replace(
                self,
                start_ns=cut_ns,
                first_edge_ns=cut_ns + self.interval_ns,
                pulses=self.pulses - pulses,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Placed:
    """A segment with its place in time; its n-th item begins at `items_ns + n * item_ns`."""

    segment: Segment
    start_ns: int
    items_ns: int
    item_ns: int
    end_ns: int

    @classmethod
    def at(cls, start_ns: int, segment: Segment) -> "_Placed":
        return cls(
            segment,
            start_ns,
            start_ns + SEGMENT_TICKS * TICK_NS,
            segment.item_ticks * TICK_NS,
            start_ns + segment.ticks * TICK_NS,
        )

    @property
    def forward_pulses(self) -> int:
        return self.segment.count if self.segment.pulses and self.segment.forward else 0

    def edge_ns(self, item: int) -> int:
        return self.items_ns + item * self.item_ns + EDGE_TICKS * TICK_NS

    def edges_until(self, until_ns: int) -> int:
        if not self.segment.pulses:
            return 0
        return max(0, min(self.segment.count, (until_ns - self.edge_ns(0)) // self.item_ns + 1))

    def first_item_from(self, from_ns: int) -> int | None:
        """Begin of the first item at or after `from_ns`, or None if the last one is past."""
        item = max(0, -((self.items_ns - from_ns) // self.item_ns))
        return self.items_ns + item * self.item_ns if item < self.segment.count else None


@dataclass(frozen=True, slots=True)
class _Block:
    """The words of one shot. `segments` loses those that are over."""

    start_ns: int
    end_ns: int
    forward_pulses: int
    segments: deque[_Placed]


class PulseStream:
    """Runs blocks of pulse words as the state machine, its witness and its step budget do.

    A block is the words of one shot. Blocks follow each other without a gap; a stream without
    words stands still with STEP low. The interlock is looked at when an item begins: an open one
    ends the stream there and latches. The driver is off and the budget is empty at power-on, so
    nothing moves before both are set.

    Attributes:
        forward_steps: rising edges on STEP with DIR forward since power-on (the witness).
        backward_steps: the same with DIR backward.
        blocks_done: blocks that came to their end.
        interlock_latched: True from the item that found the interlock open until `restart`.
        budget_tripped: True from the pulse that used up the budget until `set_budget`.
    """

    def __init__(self) -> None:
        self.forward_steps = 0
        self.backward_steps = 0
        self.blocks_done = 0
        self.interlock_latched = False
        self.budget_tripped = False
        self._now_ns = 0
        self._blocks: deque[_Block] = deque()
        self._taken = 0  # edges of the running segment that are counted already
        self._runs: list[Run] = []
        self._open_since_ns: int | None = None
        self._driver_enabled = False
        self._budget = 0

    @property
    def busy(self) -> bool:
        """True while words are left that will run."""
        return bool(self._blocks) and not self.interlock_latched

    @property
    def blocks(self) -> int:
        """Blocks that run or wait."""
        return len(self._blocks)

    @property
    def driver_on(self) -> bool:
        """True if pulses move the motor: the driver is enabled and the budget is not used up."""
        return self._driver_enabled and self._budget > 0

    @property
    def ends_ns(self) -> int | None:
        """End of all queued motion, or None if there is none."""
        if not self.busy:
            return None
        trips = (self._trip_ns(placed) for block in self._blocks for placed in block.segments)
        trip_ns = next((trip_ns for trip_ns in trips if trip_ns is not None), None)
        return self._blocks[-1].end_ns if trip_ns is None else trip_ns

    def submit(self, now_ns: int, words: Sequence[int]) -> None:
        """Append a block. It begins where the last one ends, or now if the stream stands still.

        Args:
            now_ns: simulated time.
            words: pairs of pulse words, one pair a segment.

        Raises:
            PulseStreamError: two blocks are queued already, the running one still has words in the
                firmware's memory, or the words are not pulse words.
        """
        self._settle(now_ns)
        if len(self._blocks) >= CAPACITY_BLOCKS:
            raise PulseStreamError(
                f"a block was submitted while {len(self._blocks)} are queued; the stream holds one "
                "that runs and one that waits; wait for a block to end or abort the stream"
            )
        if self._blocks and len(self._blocks[0].segments) > 1 + QUEUED_SEGMENTS:
            raise PulseStreamError(
                f"a block was submitted while the running one has {len(self._blocks[0].segments)} "
                f"segments left; wait until {QUEUED_SEGMENTS} or fewer follow the running segment"
            )
        if not words or len(words) % 2:
            raise PulseStreamError(
                f"a block has {len(words)} words, but a segment is two words and a block is one "
                "segment or more; submit whole segments"
            )
        start_ns = self._blocks[-1].end_ns if self._blocks else now_ns
        self._blocks.append(_place(start_ns, words))

    def advance(self, now_ns: int) -> list[Run]:
        """Move to `now_ns` and hand over the motion since the last call.

        A pulse belongs to the call whose interval holds its rising edge, the end included, so the
        pulses of all runs add up to the witness exactly. Times without a run are times of rest.
        """
        self._settle(now_ns)
        runs, self._runs = self._runs, []
        return runs

    def next_change_ns(self) -> int | None:
        """When a block ends, the budget is used up or the interlock ends the stream, if ever."""
        if not self.busy:
            return None
        queued = sum(block.forward_pulses for block in self._blocks)
        if self._open_since_ns is None and not 0 < self._budget <= queued:
            return self._blocks[0].end_ns
        budget = self._budget
        taken = self._taken
        for placed in self._blocks[0].segments:
            trip_ns = self._trip_ns(placed)
            fresh = max(0, placed.forward_pulses - taken)
            used_up_ns = placed.edge_ns(taken + budget - 1) if 0 < budget <= fresh else None
            events = [ns for ns in (trip_ns, used_up_ns) if ns is not None]
            if events:
                return min(events)
            budget -= fresh
            taken = 0
        return self._blocks[0].end_ns

    def abort(self, now_ns: int) -> None:
        """Stop at once and forget all words: no edge later than now. A latch stays."""
        self._settle(now_ns)
        self._blocks.clear()
        self._taken = 0

    def restart(self, now_ns: int) -> None:
        """Abort and release the interlock's latch."""
        self.abort(now_ns)
        self.interlock_latched = False

    def lengthen(self, now_ns: int, steps: int) -> None:
        """Add `steps` to each run of pulses that is still in the firmware's memory.

        What hardware holds, the running segment and those queued behind it, stays as it is.
        """
        self._settle(now_ns)
        held = 1 + QUEUED_SEGMENTS
        start_ns: int | None = None
        for number, block in enumerate(self._blocks):
            segments = [placed.segment for placed in block.segments]
            for index in range(min(held, len(segments)), len(segments)):
                if segments[index].pulses:
                    count = segments[index].count + steps
                    segments[index] = replace(segments[index], count=count)
            held = max(0, held - len(segments))
            if start_ns is None:
                start_ns = block.segments[0].start_ns
            self._blocks[number] = _block(start_ns, segments)
            start_ns = self._blocks[number].end_ns

    def set_interlock(self, now_ns: int, is_open: bool) -> None:
        """Open or close the interlock. An item that begins at this very time finds it open."""
        self._settle(now_ns)
        if is_open and self._open_since_ns is None:
            self._open_since_ns = now_ns
        elif not is_open:
            self._open_since_ns = None

    def set_driver(self, now_ns: int, enabled: bool) -> None:
        """Set the driver's enable line; with it off, pulses are counted and move nothing."""
        self._settle(now_ns)
        self._driver_enabled = enabled

    def set_budget(self, now_ns: int, forward_steps: int) -> None:
        """Allow this many forward steps from now on; the last one of them cuts the driver."""
        if forward_steps < 0:
            raise PulseStreamError(
                f"step budget {forward_steps} is below 0, the least that a counter holds; set the "
                "planned steps with their margin"
            )
        self._settle(now_ns)
        self._budget = forward_steps
        self.budget_tripped = False

    def _settle(self, now_ns: int) -> None:
        if now_ns < self._now_ns:
            raise PulseStreamError(
                f"time {now_ns} ns lies before {self._now_ns} ns, where the stream already is; "
                "simulated time only moves forward"
            )
        while self.busy:
            block = self._blocks[0]
            placed = block.segments[0]
            trip_ns = self._trip_ns(placed)
            until_ns = min(now_ns, placed.end_ns if trip_ns is None else trip_ns)
            self._take_pulses(placed, until_ns)
            if until_ns == trip_ns:
                self.interlock_latched = True
            elif until_ns == placed.end_ns:
                self._drop_segment(block)
            else:
                break
        self._now_ns = now_ns

    def _drop_segment(self, block: _Block) -> None:
        block.segments.popleft()
        self._taken = 0
        if not block.segments:
            self._blocks.popleft()
            self.blocks_done += 1

    def _trip_ns(self, placed: _Placed) -> int | None:
        since_ns = self._open_since_ns
        return None if since_ns is None else placed.first_item_from(since_ns)

    def _take_pulses(self, placed: _Placed, until_ns: int) -> None:
        total = placed.edges_until(until_ns)
        if total == self._taken:
            return
        run = Run(
            start_ns=max(self._now_ns, placed.start_ns),
            end_ns=until_ns,
            first_edge_ns=placed.edge_ns(self._taken),
            interval_ns=placed.item_ns,
            pulses=total - self._taken,
            forward=placed.segment.forward,
            driven=self.driver_on,
        )
        self._taken = total
        if run.forward:
            self._take_forward(run)
        else:
            self.backward_steps += run.pulses
            self._runs.append(run)

    def _take_forward(self, run: Run) -> None:
        self.forward_steps += run.pulses
        budget = self._budget
        self._budget = max(0, budget - run.pulses)
        if budget and not self._budget:
            self.budget_tripped = True
        if run.driven and budget < run.pulses:
            allowed, cut = run.split(budget)
            self._runs += [allowed, replace(cut, driven=False)]
        else:
            self._runs.append(run)


def _place(start_ns: int, words: Sequence[int]) -> _Block:
    segments: list[Segment] = []
    for word0, word1 in zip(words[::2], words[1::2], strict=True):
        try:
            segments.append(decode_segment(word0, word1))
        except ValueError as error:
            raise PulseStreamError(str(error)) from error
    return _block(start_ns, segments)


def _block(start_ns: int, segments: Sequence[Segment]) -> _Block:
    placed: deque[_Placed] = deque()
    end_ns = start_ns
    for segment in segments:
        placed.append(_Placed.at(end_ns, segment))
        end_ns = placed[-1].end_ns
    return _Block(start_ns, end_ns, sum(each.forward_pulses for each in placed), placed)
