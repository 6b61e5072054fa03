"""The pulse engine: DMA feeds blocks of pulse words to a PIO state machine, the processor watches.

A block is handed over while the machine carries out the last words of the one before it, which have
left memory by then, so one DMA channel feeds a train without a gap. What is left in the buffer, in
the FIFO and in the shift register tells to the word where the state machine is.

A block has an even number of words. Once all is quiet between two loads of a segment, the words
that were taken are even too, which tells whether the shift register holds one of the rest.
"""
# Viper takes buffers for pointers, and a DMA has two attributes, which the stubs do not know.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from array import array

import machine
import micropython
import rp2
from micropython import const

from boards import reference as board
from hal.rp2040.tmc2209 import Driver
from hal.rp2040.witness import Witness

TYPE_CHECKING = False  # the device has no typing module
if TYPE_CHECKING:
    from rp2.asm_pio import *

TICK_HZ = const(5_000_000)

_MACHINE = const(0)  # the first of PIO 0
_TREQ_TX = const(0)  # its request for words (datasheet 2.5.3.1)
_STOP_AT = const(14)  # where the interlock leaves the program
_SM0_ADDR = const(0x502000D4)
_FLEVEL = const(0x5020000C)
_CHANNEL_0 = const(0x50000000)
_CHANNEL_BYTES = const(0x40)
_BUSY = const(1 << 24)  # in a channel's CTRL

# What `_look` reads and writes, by index of an array: viper takes few arguments.
_PLACE = const(0)
_LEVEL = const(1)
_READ_AT = const(2)
_LOAD = const(3)
_CHANNEL = const(4)
_TASK_SIZE = const(5)

# Words of a channel's registers
_READ_ADDR = const(0)
_CTRL = const(3)


# mesogun_protocol.pulse tells the layout of the words and what each part takes in ticks. Both kinds
# of segment leave through the same jump, so that they take the same time to load. An empty FIFO
# holds the program at "load", with STEP low.
@rp2.asm_pio(
    sideset_init=rp2.PIO.OUT_LOW,
    out_init=rp2.PIO.OUT_LOW,
    out_shiftdir=rp2.PIO.SHIFT_RIGHT,
    autopull=True,
    pull_thresh=32,
)
def pulse_program():
    label("load")
    out(pins, 1).side(0)
    out(y, 1).side(0)
    out(x, 30).side(0)
    out(isr, 32).side(0)
    jmp(not_y, "dwell").side(0)
    label("pulse")
    jmp(pin, "stop").side(0)
    mov(y, isr).side(1)
    label("low")
    jmp(y_dec, "low").side(0)
    jmp(x_dec, "pulse").side(0)
    wrap_target()
    jmp("load").side(0)
    label("dwell")
    jmp(pin, "stop").side(0)
    mov(y, isr).side(0)
    label("wait")
    jmp(y_dec, "wait").side(0)
    jmp(x_dec, "dwell").side(0)
    wrap()
    label("stop")
    jmp("stop").side(0)


# Registers of PIO 0 by word: CTRL 0, FLEVEL 3, TXF0 4, SM0_ADDR 53, SM0_INSTR 54. At +0x2000 a
# write sets bits, at +0x3000 it clears them. 0x6060 is `out null, 32`.


@micropython.viper
def _freeze():
    ptr32(0x50203000)[0] = 1


@micropython.viper
def _run():
    ptr32(0x50202000)[0] = 1


@micropython.viper
def _look(task: ptr32):
    """Read place in the program, FIFO level and read address as of one moment."""
    pio = ptr32(0x50200000)
    channel = ptr32(task[4])
    while True:
        level = int(pio[3]) & 15
        task[2] = channel[0]
        place = int(pio[53]) - int(task[3])
        # A level that has stayed, outside of the loading of a segment: neither side moves words.
        if (place == 0 or place > 4) and level == int(pio[3]) & 15:
            task[0] = place
            task[1] = level
            return


@micropython.viper
def _discard(words: int):
    """Take words out of the FIFO of the frozen machine, and out of the shift register."""
    pio = ptr32(0x50200000)
    for _ in range(words):
        pio[54] = 0x6060
        for _ in range(20):  # two ticks at least, in which the register is filled again
            pass


class Pulse:
    """See `gun.ports.Pulse`.

    Channel, machines and buffers live as long as this object: a channel keeps only the address of
    its buffer, and one that is collected stops.
    """

    def __init__(self, clock):
        """`clock.update()` brings the device's clock up to date."""
        hz = machine.freq()
        if hz % TICK_HZ:
            # A fractional divider would make ticks of unequal length.
            raise RuntimeError(f"the clock of {hz} Hz is no multiple of {TICK_HZ} Hz")
        self._clock = clock
        self._driver = Driver()
        self._machine = rp2.StateMachine(
            _MACHINE,
            pulse_program,
            freq=TICK_HZ,
            sideset_base=machine.Pin(board.STEP_PIN),
            out_base=machine.Pin(board.DIR_PIN),
            jmp_pin=machine.Pin(board.INTERLOCK_PIN, machine.Pin.IN, machine.Pin.PULL_UP),
        )
        self._witness = Witness()
        self._dma = rp2.DMA()
        self._registers = self._dma.registers
        self._ctrl = self._dma.pack_ctrl(size=2, inc_write=False, treq_sel=_TREQ_TX)
        self._words = array("I")
        self._begin = 0
        self._end = 0
        self._task = array("I", [0] * _TASK_SIZE)
        self._task[_LOAD] = machine.mem32[_SM0_ADDR]  # a new machine stands at the program's begin
        self._task[_CHANNEL] = _CHANNEL_0 + _CHANNEL_BYTES * self._dma.channel
        self.blocks = 0
        self.interlock_latched = False
        self.budget_tripped = False
        self.forward_steps = 0
        self.backward_steps = 0
        self._machine.active(1)

    def submit(self, words, count):
        if self.blocks:
            self._settle()
        if self.blocks == 2 or not 0 < count <= len(words) or count & 1:
            raise ValueError(f"a block of {count} words behind {self.blocks} blocks")
        if self._registers[_CTRL] & _BUSY:
            raise ValueError("the block before still has words in memory")
        self._words = words
        self._dma.config(read=words, write=self._machine, count=count, ctrl=self._ctrl)
        self._begin = self._registers[_READ_ADDR]
        self._end = self._begin + 4 * count
        self.blocks += 1
        self._dma.active(1)

    def read(self):
        self._clock.update()
        witness = self._witness
        witness.read()
        self.forward_steps = witness.forward_steps
        self.backward_steps = witness.backward_steps
        self.budget_tripped = witness.tripped
        self._settle()

    def abort(self):
        _freeze()
        self._drop()
        if not self.interlock_latched:
            _run()
        self.read()

    def check_driver(self):
        self.abort()
        return self._driver.configure()

    def enable(self, budget_steps):
        self.abort()
        self._witness.arm(budget_steps)
        self.read()

    def disable(self):
        _freeze()
        self._witness.disarm()
        self._drop()
        self.interlock_latched = False
        _run()
        self.read()

    def _settle(self):
        """Take note of blocks that are over, and of the interlock."""
        task = self._task
        _look(task)
        if task[_PLACE] == _STOP_AT:
            self.interlock_latched = True
        at = task[_READ_AT]
        # One word of a pair may be in the shift register; both of them only in the machine.
        if self.blocks == 2 and (at - self._begin) >> 2 >= task[_LEVEL] + 2:
            self.blocks = 1
        if self.blocks == 1 and at == self._end and task[_LEVEL] == 0 and task[_PLACE] == 0:
            self.blocks = 0

    def _drop(self):
        """Empty the frozen machine and its channel; a latched machine stays where it is."""
        self._dma.active(0)
        if machine.mem32[_SM0_ADDR] - self._task[_LOAD] == _STOP_AT:
            self.interlock_latched = True
        # A restart empties the shift register and jumps to the begin, which also ends a pulse that
        # was frozen. Discarding the FIFO fills the register once more.
        self._machine.restart()
        _discard(machine.mem32[_FLEVEL] & 15)
        self._machine.restart()
        self.blocks = 0
