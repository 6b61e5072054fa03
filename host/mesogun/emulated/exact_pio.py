"""Exact time for the PIO blocks of rp2040py 0.3.6, at a cost that does not grow with waiting.

Defects of the package that this works around; each could be cured there in the same way:

1. `execute_batch` advances a block once per processor instruction or idle jump, by one PIO
   instruction at most, and drops what it is behind by more than 8 cycles. Edges jitter by a
   processor instruction, and a sleeping processor (WFI) stops PIO altogether. Here a clock alarm
   runs each PIO instruction in its very cycle, and the stock loop finds the blocks stopped.
2. Each iteration of a loop that only waits is interpreted. Here a machine that counts X or Y down
   in one instruction, polls, or stalls is left alone until the time or the event that ends it; the
   iterations are made up for in one piece of arithmetic before anybody looks.
3. A stalled machine goes on from the moment of the event instead of its next own clock tick. Here
   it tries its instruction again at its ticks, as the hardware does. An instruction through
   SMx_INSTR, too, then finds a machine that is not half way through another one.
4. Autopull fills the shift register when the next OUT finds it empty. The hardware fills it as soon
   as it is empty (datasheet 3.5.4), so it holds one word more than the FIFO does, and an OUT that
   stalled needs one more tick.
5. A write to SHIFTCTRL that changes a FIFO join neither clears nor resizes the FIFOs, so
   `pio_sm_clear_fifos` does nothing.
6. Pins that an instruction changes through SMx_INSTR are not seen until a machine runs.

Not modelled: the two cycles that an input needs to pass its synchroniser.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from rp2040py.peripherals.pio import RPPIO
from rp2040py.peripherals.pio_registers import RXF0, RXF3, SM0_INSTR
from rp2040py.peripherals.state_machine import StateMachine
from rp2040py.rp2040 import RP2040
from rp2040py.utils.fifo import FIFO

_NEVER: Final = 1 << 62

#: The package counts due times in 1/256 of a system clock cycle of 8 ns.
_FINE_PER_NS: Final = 32
_FINE_PER_CYCLE: Final = 256
_CYCLE_NS: Final = 8

_OP_JMP, _OP_WAIT, _OP_OUT, _OP_PULL, _OP_IRQ = 0b000, 0b001, 0b011, 0b100, 0b110
_JMP_X, _JMP_Y = 0b010, 0b100
_PULL_BIT: Final = 0x80
_AUTOPULL: Final = 1 << 17
_JOIN_TX: Final = 1 << 30
_JOIN_RX: Final = 1 << 31
_FIFO_WORDS: Final = 4

_MACHINE_BYTES: Final = 0x18

_BUS_ADDRESS = (0x50200, 0x50300)


class _Mode(Enum):
    OFF = auto()  # disabled, or stalled in a way that the package itself ends
    RUN = auto()
    COUNT_X = auto()
    COUNT_Y = auto()
    POLL = auto()  # a loop of jumps that changes nothing
    STALL = auto()  # one instruction that is tried again at each tick


class _Machine:
    """One state machine and what it does until its next event.

    Attributes:
        event: when something visible may happen, in 1/256 cycles.
    """

    __slots__ = ("block", "core", "event", "head", "head_due", "mode", "period")

    def __init__(self, core: StateMachine, block: RPPIO) -> None:
        self.core = core
        self.block = block
        self.mode = _Mode.OFF
        self.event = _NEVER
        self.period = 0
        self.head = -1  # where a loop of jumps may have begun, and when
        self.head_due = 0

    def refresh(self, instructed: bool = False) -> None:
        """Take over what somebody else has done to the machine.

        Args:
            instructed: it was given an instruction, which it carries out even while it is disabled.
        """
        core = self.core
        self.head = -1
        refilled = (core.enabled or instructed) and self._refill()
        if not core.enabled or core.waiting:
            self.mode = _Mode.OFF
            self.event = _NEVER
            return
        if refilled and self.mode is _Mode.STALL:
            core.next_due_fp += core.div_fp
        self.mode = _Mode.RUN
        self.event = core.next_due_fp

    def wake(self) -> None:
        """Look again: an input or a flag has changed."""
        self.head = -1
        if self.mode in (_Mode.POLL, _Mode.STALL):
            self.mode = _Mode.RUN
            self.event = self.core.next_due_fp
        elif self.mode is _Mode.OFF:
            self.refresh()  # the package may have ended its wait

    def settle(self, now: int) -> None:
        """Make up for the iterations up to now, so that all registers are what they should be."""
        core = self.core
        behind = now - core.next_due_fp
        if behind < 0 or self.mode is _Mode.OFF:
            return
        turns = behind // self.period if self.period else 0
        if self.mode is _Mode.STALL:
            core.next_due_fp += (turns + 1) * self.period
        elif self.mode is _Mode.POLL:
            core.next_due_fp += turns * self.period
            while core.next_due_fp <= now:
                core.step()
        elif self.mode is _Mode.COUNT_X:
            turns = min(core.x, turns + 1)
            core.x -= turns
            core.next_due_fp += turns * self.period
        elif self.mode is _Mode.COUNT_Y:
            turns = min(core.y, turns + 1)
            core.y -= turns
            core.next_due_fp += turns * self.period

    def execute(self) -> int:
        """Carry out the instruction that is due; return its operation."""
        core = self.core
        if self.mode is _Mode.COUNT_X:
            core.x = 0
            core.next_due_fp = self.event
        elif self.mode is _Mode.COUNT_Y:
            core.y = 0
            core.next_due_fp = self.event
        self.mode = _Mode.RUN
        due, at = core.next_due_fp, core.pc
        opcode = self.block.instructions[at]
        shifted = core.output_shift_count
        core.step()
        self.event = core.next_due_fp
        operation = opcode >> 13
        if core.waiting:
            self._stall(opcode, shifted, due)
        elif operation == _OP_JMP:
            self._jumped((opcode >> 5) & 7, at, due)
        else:
            self.head = -1
            if operation == _OP_OUT:
                self._refill()
        return operation

    def _stall(self, opcode: int, shifted: int, due: int) -> None:
        core = self.core
        operation = opcode >> 13
        self.head = -1
        if operation in (_OP_WAIT, _OP_OUT) or (operation == _OP_PULL and opcode & _PULL_BIT):
            core.waiting = False
            core.output_shift_count = shifted
            core.next_due_fp = due + core.div_fp
            self.mode = _Mode.STALL
            self.period = core.div_fp
        else:
            self.mode = _Mode.OFF
        self.event = _NEVER

    def _jumped(self, condition: int, at: int, due: int) -> None:
        core = self.core
        if condition in (_JMP_X, _JMP_Y):
            self.head = -1
            if core.pc == at:
                self._count(condition, core.next_due_fp - due)
        elif self.block.pin_values != self.block.old_pin_values or (
            self.block.pin_directions != self.block.old_pin_directions
        ):
            self.head = -1
        elif core.pc <= at:
            if self.head == core.pc:
                self.mode = _Mode.POLL
                self.period = core.next_due_fp - self.head_due
                self.event = _NEVER
            self.head = core.pc
            self.head_due = core.next_due_fp

    def _count(self, condition: int, period: int) -> None:
        core = self.core
        self.period = period
        if condition == _JMP_X:
            self.mode = _Mode.COUNT_X
            self.event = core.next_due_fp + core.x * period
        else:
            self.mode = _Mode.COUNT_Y
            self.event = core.next_due_fp + core.y * period

    def _refill(self) -> bool:
        core = self.core
        if (
            not core.shift_ctrl & _AUTOPULL
            or core.tx_fifo.empty
            or core.output_shift_count < core.pull_threshold
        ):
            return False
        core.output_shift_reg = core.tx_fifo.pull()
        core.output_shift_count = 0
        core.rp2040.dma.set_dreq(core.dreq_tx)
        self.block.check_interrupts()
        return True


class ExactPio:
    """Runs both PIO blocks of a chip in exact time.

    Whoever changes an input pin does it through `change_input`.
    """

    def __init__(self, mcu: RP2040) -> None:
        """Take the blocks over, before the chip runs."""
        self._clock = mcu.clock
        self._blocks = mcu.pio
        self._machines = [_Machine(core, block) for block in mcu.pio for core in block.machines]
        self._enabled: list[_Machine] = []
        self._next = _NEVER
        self._armed = _NEVER
        self._alarm = mcu.clock.create_alarm(self._on_alarm)
        for address, block in zip(_BUS_ADDRESS, mcu.pio, strict=True):
            mcu.peripherals[address] = _BusSide(block, self)

    def reset(self) -> None:
        """Forget everything: the chip was reset."""
        self._alarm.cancel()
        self._armed = _NEVER
        self.changed()

    def change_input(self, change: Callable[[], None]) -> None:
        """Let `change` set an input pin between two cycles of the blocks."""
        self.settle()
        change()
        for machine in self._enabled:
            machine.wake()
        self._arm()

    def settle(self) -> None:
        """Bring all registers up to the present cycle."""
        now = self._now()
        self._advance(now)
        for machine in self._enabled:
            machine.settle(now)
        for block in self._blocks:
            block.cycle_fp = now

    def changed(self, instructed: StateMachine | None = None) -> None:
        """Go on after registers have changed; `instructed` was given an instruction."""
        for block in self._blocks:
            block.stopped = True
            block.check_changed_pins()
        for machine in self._machines:
            machine.refresh(machine.core is instructed)
        self._enabled = [machine for machine in self._machines if machine.core.enabled]
        self._arm()

    def _earliest(self) -> int:
        return min([machine.event for machine in self._enabled], default=_NEVER)

    def _now(self) -> int:
        return int(self._clock.nanos * _FINE_PER_NS + 0.5)

    def _on_alarm(self) -> None:
        self._armed = _NEVER
        self._advance(self._now())
        self._arm()

    def _advance(self, now: int) -> None:
        while self._next <= now:
            due = self._next
            flags_changed = False
            for machine in self._enabled:
                if machine.event <= due:
                    machine.block.cycle_fp = due
                    flags_changed |= machine.execute() == _OP_IRQ
            for block in self._blocks:
                block.check_changed_pins()
            if flags_changed:
                for machine in self._enabled:
                    machine.settle(due)
                    machine.wake()
            self._next = self._earliest()

    def _arm(self) -> None:
        self._next = due = self._earliest()
        if due == self._armed:
            return
        self._armed = due
        if due == _NEVER:
            self._alarm.cancel()
            return
        cycle = (due + _FINE_PER_CYCLE - 1) // _FINE_PER_CYCLE
        self._alarm.schedule(max(0.0, cycle * _CYCLE_NS - self._clock.nanos))


class _BusSide:
    """What the bus sees in place of a block: each access finds it up to date and lets it go on."""

    def __init__(self, block: RPPIO, pio: ExactPio) -> None:
        self._block = block
        self._pio = pio

    def read_uint32(self, offset: int) -> int:
        self._pio.settle()
        value = self._block.read_uint32(offset)
        if RXF0 <= offset <= RXF3:
            self._pio.changed()
        return value

    def write_uint32(self, offset: int, value: int) -> None:
        self.write_uint32_atomic(offset, value, 0)

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        self._pio.settle()
        joins = [core.shift_ctrl & (_JOIN_TX | _JOIN_RX) for core in self._block.machines]
        self._block.write_uint32_atomic(offset, value, atomic_type)
        for core, before in zip(self._block.machines, joins, strict=True):
            after = core.shift_ctrl & (_JOIN_TX | _JOIN_RX)
            if after != before:
                _join(core, after)
        number, rest = divmod(offset - SM0_INSTR, _MACHINE_BYTES)
        instructed = rest == 0 and 0 <= number < len(self._block.machines)
        self._pio.changed(self._block.machines[number] if instructed else None)

    def reset(self) -> None:
        self._block.reset()
        self._pio.reset()


def _join(core: StateMachine, joins: int) -> None:
    """Clear the FIFOs and give each its depth: 4 words, all 8, or none."""
    depth = {0: (4, 4), _JOIN_TX: (8, 0), _JOIN_RX: (0, 8)}.get(joins, (4, 4))
    core.tx_fifo, core.rx_fifo = FIFO(depth[0]), FIFO(depth[1])
    dma = core.rp2040.dma
    dma.clear_dreq(core.dreq_rx)
    if depth[0]:
        dma.set_dreq(core.dreq_tx)
    else:
        dma.clear_dreq(core.dreq_tx)
