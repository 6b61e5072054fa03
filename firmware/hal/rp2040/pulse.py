"""The pulse engine: DMA feeds blocks of pulse words to a PIO state machine, the processor watches.

Two DMA channels by turns: the one that feeds the running block starts the one of the block behind
it, so a train has no gap. What is left in buffers, in the FIFO and in the shift register tells to
the word where the state machine is.

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

# What the functions below read and write, by index of an array: they take few arguments.
_PLACE = const(0)
_LEVEL = const(1)
_FIRST_AT = const(2)
_SECOND_AT = const(3)
_LOAD = const(4)
_FIRST = const(5)
_SECOND = const(6)
_SECOND_BEGIN = const(7)
_ABORT = const(8)
_WORDS = const(9)
_COUNT = const(10)
_TASK_SIZE = const(11)

# Words of a channel's registers
_READ_ADDR = const(0)
_CTRL = const(3)
_AL1_CTRL = const(4)  # the same, but writing it starts nothing


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
    """Read place in the program, FIFO level and both read addresses as of one moment."""
    pio = ptr32(0x50200000)
    first = ptr32(task[5])
    second = ptr32(task[6])
    while True:
        level = int(pio[3]) & 15
        task[2] = first[0]
        task[3] = second[0]
        place = int(pio[53]) - int(task[4])
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


@micropython.viper
def _withdraw(task: ptr32) -> int:
    """Take the second block back out of the FIFO if it has not begun; returns 1 if so.

    Freezes the machine for some microseconds: an edge of the running block may come that much
    later. Words of that block which leave the FIFO on the way are put back.
    """
    pio = ptr32(0x50200000)
    freeze = ptr32(0x50203000)
    run = ptr32(0x50202000)
    second = ptr32(task[6])
    freeze[0] = 1
    while True:
        place = int(pio[53]) - int(task[4])
        if place == 0 or place > 4:
            break
        run[0] = 1
        freeze[0] = 1
    _look(task)
    level = int(task[1])
    fed = (int(task[3]) - int(task[7])) >> 2
    if fed >= level + 2:
        run[0] = 1
        return 0
    ptr32(0x50000444)[0] = int(task[8])  # CHAN_ABORT
    while int(second[3]) & 0x1000000:  # busy until what is in flight has arrived
        pass
    _discard(level + ((level - fed) & 1))
    words = ptr32(task[9])
    count = int(task[10])
    for index in range(count - ((level - fed + 1) & 0xFFFE), count):
        pio[4] = words[index]
    run[0] = 1
    return 1


class Pulse:
    """See `gun.ports.Pulse`.

    Channels, machines and buffers live as long as this object: a channel keeps only the address of
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
        self._dma = (rp2.DMA(), rp2.DMA())
        self._registers = tuple(dma.registers for dma in self._dma)
        self._address = tuple(_CHANNEL_0 + _CHANNEL_BYTES * dma.channel for dma in self._dma)
        self._ctrl_alone = tuple(self._pack(dma, dma) for dma in self._dma)
        self._ctrl_chained = (
            self._pack(self._dma[0], self._dma[1]),
            self._pack(self._dma[1], self._dma[0]),
        )
        self._words = [memoryview(b""), memoryview(b"")]
        self._begin = [0, 0]
        self._end = [0, 0]
        self._first = 0
        self._task = array("I", [0] * _TASK_SIZE)
        self._task[_LOAD] = machine.mem32[_SM0_ADDR]  # a new machine stands at the program's begin
        self.blocks = 0
        self.interlock_latched = False
        self.budget_tripped = False
        self.forward_steps = 0
        self.backward_steps = 0
        self._machine.active(1)

    def _pack(self, dma, then):
        return dma.pack_ctrl(size=2, inc_write=False, treq_sel=_TREQ_TX, chain_to=then.channel)

    def submit(self, words):
        if self.blocks:
            self._settle()
        if self.blocks == 2 or not words or len(words) & 1:
            raise ValueError(f"a block of {len(words)} words behind {self.blocks} blocks")
        first = self._first
        channel = first ^ 1 if self.blocks else first
        self._words[channel] = words
        dma = self._dma[channel]
        dma.config(
            read=words, write=self._machine, count=len(words), ctrl=self._ctrl_alone[channel]
        )
        self._begin[channel] = self._registers[channel][_READ_ADDR]
        self._end[channel] = self._begin[channel] + 4 * len(words)
        if not self.blocks:
            dma.active(1)
        else:
            running = self._registers[first]
            running[_AL1_CTRL] = self._ctrl_chained[first]
            if not running[_CTRL] & _BUSY and not self._fed(channel):
                # It had fed its last word before it was chained. If it was chained just in time,
                # the second start of a busy channel does nothing.
                dma.active(1)
        self.blocks += 1

    def read(self):
        self._clock.update()
        witness = self._witness
        witness.read()
        self.forward_steps = witness.forward_steps
        self.backward_steps = witness.backward_steps
        self.budget_tripped = witness.tripped
        self._settle()

    def cancel(self):
        self.read()
        if self.blocks < 2:
            return 0
        first = self._first
        second = first ^ 1
        self._registers[first][_AL1_CTRL] = self._ctrl_alone[first]
        if self._fed(second) or self._registers[second][_CTRL] & _BUSY:
            task = self._task
            task[_FIRST] = self._address[first]
            task[_SECOND] = self._address[second]
            task[_SECOND_BEGIN] = self._begin[second]
            task[_ABORT] = 1 << self._dma[second].channel
            task[_WORDS] = self._begin[first]
            task[_COUNT] = len(self._words[first])
            if not _withdraw(task):
                self._first = second
                self.blocks = 1
                return 0
        self.blocks = 1
        return 1

    def abort(self):
        _freeze()
        self._drop()
        if not self.interlock_latched:
            _run()
        self.read()

    def enable(self, budget_steps):
        """Also tells the driver its settings, which it has lost if its supply was off.

        Raises RuntimeError if the driver does not answer.
        """
        self.abort()
        self._driver.configure()
        self._witness.arm(budget_steps)
        self.read()

    def disable(self):
        _freeze()
        self._witness.disarm()
        self._drop()
        self.interlock_latched = False
        _run()
        self.read()

    def _fed(self, channel):
        """Has a word of the block on `channel` left its buffer?"""
        return self._registers[channel][_READ_ADDR] != self._begin[channel]

    def _settle(self):
        """Take note of blocks that are over, and of the interlock."""
        task = self._task
        first = self._first
        second = first ^ 1
        task[_FIRST] = self._address[first]
        task[_SECOND] = self._address[second]
        _look(task)
        if task[_PLACE] == _STOP_AT:
            self.interlock_latched = True
        at = task[_FIRST_AT]
        # One word of a pair may be in the shift register; both of them only in the machine.
        fed = (task[_SECOND_AT] - self._begin[second]) >> 2
        if self.blocks == 2 and fed >= task[_LEVEL] + 2:
            self._first = first = second
            self.blocks = 1
            at = task[_SECOND_AT]
        if self.blocks == 1 and at == self._end[first] and task[_LEVEL] == 0 and task[_PLACE] == 0:
            self.blocks = 0

    def _drop(self):
        """Empty the frozen machine and both channels; a latched machine stays where it is."""
        for channel in (0, 1):
            # Unchained first: the end of an aborted channel would start the other one.
            self._registers[channel][_AL1_CTRL] = self._ctrl_alone[channel]
        for channel in (0, 1):
            self._dma[channel].active(0)
        if machine.mem32[_SM0_ADDR] - self._task[_LOAD] == _STOP_AT:
            self.interlock_latched = True
        # A restart empties the shift register and jumps to the begin, which also ends a pulse that
        # was frozen. Discarding the FIFO fills the register once more.
        self._machine.restart()
        _discard(machine.mem32[_FLEVEL] & 15)
        self._machine.restart()
        self.blocks = 0
