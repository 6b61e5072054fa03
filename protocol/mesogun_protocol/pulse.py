"""The pulse words that a shot is made of, and how long a state machine takes for them.

One segment is two 32-bit words, low bits first:

    word 0   bit 0       direction, 1 = forward (delivers)
             bit 1       kind, 1 = pulses, 0 = dwell
             bits 2..31  count - 1
    word 1   interval    low part of one item, in ticks

A tick is one cycle of the pulse state machine, `TICK_NS` long. The state machine takes
`SEGMENT_TICKS` to load a segment, then `count` items of `interval + PULSE_TICKS` (pulses) or
`interval + DWELL_TICKS` (dwell). The rising edge of a pulse comes `EDGE_TICKS` after its item begins.
The interlock input is tested in the first tick of every item; an open interlock ends the stream there.

Firmware, virtual gun and tests take every figure from here; a test runs the pulse program itself,
cycle by cycle, and compares. Standard library only, because the device's constants are generated from it.
"""

from typing import Final

TICK_NS: Final = 200
TICKS_PER_US: Final = 5

DIRECTION_BIT: Final = 0
KIND_BIT: Final = 1
COUNT_SHIFT: Final = 2

COUNT_MAX: Final = 1 << 30
INTERVAL_MAX: Final = (1 << 30) - 1  # a small integer on a 32-bit MicroPython

SEGMENT_TICKS: Final = 6
PULSE_TICKS: Final = 5
DWELL_TICKS: Final = 4
EDGE_TICKS: Final = 1
