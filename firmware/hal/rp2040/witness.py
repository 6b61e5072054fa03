"""Counts the steps on the STEP pin itself; switches the driver off when their budget is used up.

A state machine of its own, at the full clock, in the other PIO block: it needs neither the
processor nor the memory that the pulse words are in.
"""

import machine
import micropython
import rp2
from micropython import const

from boards import reference as board

TYPE_CHECKING = False  # the device has no typing module
if TYPE_CHECKING:
    from rp2.asm_pio import *

_MACHINE = const(4)  # the first of PIO 1
_DRIVER_ON = const(0xE000)  # set pins, 0
_DRIVER_OFF = const(0xE001)  # set pins, 1
_IN_X = const(0x4020)  # in x, 32
_IN_Y = const(0x4040)  # in y, 32
_PULL = const(0x8080)  # pull noblock
_MOV_X_OSR = const(0xA027)
_SET_Y_0 = const(0xE040)
_NO_ANSWER = const(-1)


# X is one less than the forward steps that are left, Y counts backward steps down from 0. Both go
# on below 0, modulo 2^32, so that no step is ever lost to the count. The driver goes off some 50 ns
# after the last step that the budget allows.
@rp2.asm_pio(
    set_init=rp2.PIO.OUT_HIGH,
    autopush=True,
    push_thresh=32,
)
def witness_program():
    wrap_target()
    label("next")
    wait(0, pin, 0)
    wait(1, pin, 0)
    jmp(pin, "forward")
    jmp(y_dec, "next")
    jmp("next")
    label("forward")
    jmp(x_dec, "next")
    set(pins, 1)
    wrap()


@micropython.viper
def _count(start: int, instruction: int) -> int:
    """Return how far a register has come down from `start`, or -1.

    `in_` with autopush is one instruction, so the value is of one moment. It runs in place of a
    wait, which then goes on: the edge of a pulse of 200 ns is not missed for 8 ns.
    """
    pio = ptr32(0x50300000)
    while not pio[1] & 0x100:  # FSTAT: receive FIFO not empty
        pio[8]
    pio[54] = instruction  # SM0_INSTR
    for _ in range(1000):
        if not pio[1] & 0x100:
            return start - int(pio[8])
    return -1


class Witness:
    """The state machine that counts, and its budget.

    Attributes: `forward_steps` and `backward_steps` since the start of the device, as of `read`;
    `tripped` after the budget was used up.
    """

    def __init__(self):
        self._machine = rp2.StateMachine(
            _MACHINE,
            witness_program,
            freq=machine.freq(),
            in_base=machine.Pin(board.STEP_PIN),
            jmp_pin=machine.Pin(board.DIR_PIN),
            set_base=machine.Pin(board.ENABLE_PIN),
        )
        self._start = 0
        self._base = 0
        self._budget = 0
        self.forward_steps = 0
        self.backward_steps = 0
        self.tripped = False
        self._machine.exec(_SET_Y_0)
        self._load_x(0)
        self._machine.active(1)

    def read(self):
        """Bring the attributes up to date."""
        forward = _count(self._start, _IN_X)
        backward = _count(0, _IN_Y)
        if forward == _NO_ANSWER or backward == _NO_ANSWER:
            raise RuntimeError("the witness of the STEP pin does not answer")
        self.forward_steps = self._base + forward
        self.backward_steps = backward
        self.tripped = 0 < self._budget <= forward

    def arm(self, budget_steps):
        """Driver on until `budget_steps` forward steps were made. Only while STEP is at rest."""
        self._restart(budget_steps)
        if budget_steps:
            self._machine.exec(_DRIVER_ON)

    def disarm(self):
        """Driver off, budget empty."""
        self._machine.exec(_DRIVER_OFF)
        self._restart(0)

    def _restart(self, budget_steps):
        self.read()
        self._base = self.forward_steps
        self._budget = budget_steps
        self._start = max(budget_steps - 1, 0)
        self._load_x(self._start)
        self.tripped = False

    def _load_x(self, value):
        self._machine.put(value)
        self._machine.exec(_PULL)
        self._machine.exec(_MOV_X_OSR)
