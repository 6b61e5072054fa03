"""What the gun feels: force behind the plunger, supply, stalls and the switches."""

import io

import machine
from micropython import const

from boards import reference as board
from gun import wire

_POLL = const(3)  # request of a stream: what is it ready for?
_READABLE = const(1)
_FULL_SCALE = const(0xFFFF)
_FORCE_SHIFT = const(4)  # readings come as 16 bits, the converter has 12


class Bell(io.IOBase):
    """A stream that becomes readable when a pin changes, so that a poll ends at once."""

    def __init__(self):
        self._rung = False

    def ring(self, _pin):
        self._rung = True

    def silence(self):
        self._rung = False

    def ioctl(self, request, _argument):
        return _READABLE if request == _POLL and self._rung else 0


class Sensors:
    """Attributes are as of the last `update`; `bell` rings when an input changes."""

    def __init__(self):
        self.bell = Bell()
        # Each with the bit that is set while the pin is low.
        self._pins = tuple(
            (machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP), bit)
            for number, bit in (
                (board.TRIGGER_PIN, wire.INPUT_TRIGGER),
                (board.INTERLOCK_PIN, wire.INPUT_INTERLOCK_CLOSED),
                (board.SEATED_PIN, wire.INPUT_SYRINGE_SEATED),
            )
        )
        for pin, _ in self._pins:
            pin.irq(self.bell.ring, machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
        self._diag = machine.Pin(board.DIAG_PIN, machine.Pin.IN, machine.Pin.PULL_DOWN)
        self._diag.irq(self._note_stall, machine.Pin.IRQ_RISING)
        self._stalled = False
        self._force = machine.ADC(machine.Pin(board.FORCE_ADC_PIN))
        self._supply = machine.ADC(machine.Pin(board.SUPPLY_ADC_PIN))
        self.inputs = 0
        self.force_raw = 0
        self.supply_mv = 0

    def _note_stall(self, pin):
        # DIAG may fall again at the next full step, before anybody looks (datasheet, p. 56).
        self._stalled = True
        self.bell.ring(pin)

    def update(self):
        # Before the pins: a change after the look rings again.
        self.bell.silence()
        inputs = 0
        for pin, bit in self._pins:
            if not pin.value():
                inputs |= bit
        if self._stalled or self._diag.value():
            inputs |= wire.INPUT_STALLED
            self._stalled = False
        self.force_raw = self._force.read_u16() >> _FORCE_SHIFT
        # Two steps: the product of both would not be a small integer.
        self.supply_mv = (
            (self._supply.read_u16() >> 2) * board.SUPPLY_FULL_SCALE_MV // (_FULL_SCALE >> 2)
        )
        if board.SUPPLY_MIN_MV <= self.supply_mv <= board.SUPPLY_MAX_MV:
            inputs |= wire.INPUT_SUPPLY_OK
        self.inputs = inputs
