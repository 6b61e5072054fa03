"""The pulse words that a shot is made of, and how long a state machine takes for them.

One segment is two 32-bit words, low bits first:

    word 0   bit 0       direction, 1 = forward (delivers)
             bit 1       kind, 1 = pulses, 0 = dwell
             bits 2..31  count - 1
    word 1   interval    low part of one item, in ticks

A tick is one cycle of the pulse state machine, `TICK_NS` long. The state machine takes
`SEGMENT_TICKS` to load a segment, then `count` items of `interval + PULSE_TICKS` (pulses) or
`interval + DWELL_TICKS` (dwell). The rising edge of a pulse comes `EDGE_TICKS` after its item
begins, and STEP stays high for one tick. The interlock input is tested in the first tick of every
item; an open interlock ends the stream there.

The load is one tick to come back from the segment before, or to take the first word out of an
empty FIFO, and five to shift out direction, kind, count and interval and to branch. A FIFO that is
kept full adds nothing: the shift that empties the register refills it in the same tick (RP2040
datasheet, autopull details).

Firmware, virtual gun and tests take every figure from here; a test runs the pulse program itself,
cycle by cycle, and compares. Standard library only, because the device's constants are generated
from it.
"""

from dataclasses import dataclass
from typing import Final

TICK_NS: Final = 200
TICKS_PER_US: Final = 5

DIRECTION_BIT: Final = 0
KIND_BIT: Final = 1
COUNT_SHIFT: Final = 2

COUNT_MAX: Final = 1 << 30
INTERVAL_MAX: Final = (1 << 30) - 1  # a small integer on a 32-bit MicroPython

SEGMENT_TICKS: Final = 6
PULSE_TICKS: Final = 4
DWELL_TICKS: Final = 4
EDGE_TICKS: Final = 1

_WORD_MAX: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a pulse train.

    Attributes:
        forward: True if the plunger delivers; the direction also holds through a dwell.
        pulses: True for pulses, False for a dwell with STEP low.
        count: items, 1 to `COUNT_MAX`.
        interval: low part of one item in ticks, 0 to `INTERVAL_MAX`.
    """

    forward: bool
    pulses: bool
    count: int
    interval: int

    @property
    def item_ticks(self) -> int:
        """Ticks of one item: the period of the pulses, or one look at the interlock in a dwell."""
        return self.interval + (PULSE_TICKS if self.pulses else DWELL_TICKS)

    @property
    def ticks(self) -> int:
        """Ticks from the start of the segment to the start of the next, the load included."""
        return SEGMENT_TICKS + self.count * self.item_ticks


def encode_segment(forward: bool, pulses: bool, count: int, interval: int) -> tuple[int, int]:
    """Pack one segment into its two words.

    Args:
        forward: True to deliver, False to pull back.
        pulses: True for pulses, False for a dwell.
        count: items, 1 to `COUNT_MAX`.
        interval: low part of one item in ticks, 0 to `INTERVAL_MAX`.

    Returns:
        Word 0 and word 1.

    Raises:
        ValueError: count or interval is out of range.
    """
    _check("count", count, 1, COUNT_MAX, "split the segment")
    _check("interval", interval, 0, INTERVAL_MAX, "use more items or a shorter interval, in ticks")
    word0 = forward << DIRECTION_BIT | pulses << KIND_BIT | (count - 1) << COUNT_SHIFT
    return word0, interval


def decode_segment(word0: int, word1: int) -> Segment:
    """Unpack the two words of one segment; the inverse of `encode_segment`.

    Raises:
        ValueError: a word is not one that `encode_segment` can have made.
    """
    _check("word 0", word0, 0, _WORD_MAX, "words are unsigned and 32 bits wide")
    _check("word 1 (interval)", word1, 0, INTERVAL_MAX, "check the order of the words")
    return Segment(
        forward=bool(word0 >> DIRECTION_BIT & 1),
        pulses=bool(word0 >> KIND_BIT & 1),
        count=(word0 >> COUNT_SHIFT) + 1,
        interval=word1,
    )


def _check(name: str, value: int, low: int, high: int, advice: str) -> None:
    if not low <= value <= high:
        raise ValueError(
            f"pulse segment: {name} {value} is outside {low} to {high} "
            f"(layout of the pulse words); {advice}"
        )
