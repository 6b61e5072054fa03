"""The surroundings of an emulated gun: plant and panel on the pins of the board.

Emulated time moves only in `run` and `run_unheard`.
"""

from typing import Final

from mesogun.emulated.board import Board
from mesogun.emulated.light import LightReader
from mesogun.emulated.motion import Motion, Step
from mesogun.emulated.pico import Pico
from mesogun.emulated.tmc2209 import Tmc2209
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant
from mesogun_protocol.pulse import COUNT_SHIFT, KIND_BIT

_REST_NS: Final = 30_000_000
"""STEP is at rest that long between two shots at least; the needle moves to a new point in it."""

_LOOK_NS: Final = 5_000_000
"""Time between two looks at the motor while it turns: how late DIAG may tell of a stall."""

_PORT_NS: Final = 1_000_000_000
"""From a reset until an operating system offers the port to programs, about."""

_ADC_MAX: Final = 4095

# RP2040 datasheet 2.5.7: the registers of a DMA channel.
_DMA_BASE: Final = 0x50000000
_DMA_BYTES: Final = 0x40
_DMA_CHANNELS: Final = 12
_DMA_COUNT: Final = 0x08
_DMA_CTRL: Final = 0x0C
_DMA_BUSY: Final = 1 << 24
_DMA_TREQ: Final = 0x3F << 15


class EmulatedWorld:
    """One emulated gun in its surroundings.

    Args:
        pico: the processor board, just switched on.
        board: what is connected to its pins.
        plant: the physics from motor to needle.
        panel: what the hands do and the eyes see.
        operator: who works the trigger of `panel`, None if somebody outside does.
        new_point_each_shot: the needle goes to fresh tissue for each shot, else it stays.

    Attributes:
        steps: each rising edge on STEP since the start: the truth about them.
        forward_steps: forward ones since power-up, counted on the pins.
        backward_steps: the same backward.
        driver: the stepper driver at the end of its UART.
    """

    def __init__(
        self,
        pico: Pico,
        board: Board,
        plant: Plant,
        panel: Panel,
        operator: Operator | None = None,
        new_point_each_shot: bool = True,
    ) -> None:
        """Connect everything."""
        self.pico = pico
        self.board = board
        self.plant = plant
        self.panel = panel
        self.steps: list[Step] = []
        self.forward_steps = 0
        self.backward_steps = 0
        self._operator = operator
        self._new_point_each_shot = new_point_each_shot
        self._motion = Motion()
        self._moved_ns = 0
        self._light = LightReader()
        self._cut_ns: int | None = None
        plant.new_point()
        pico.watch(board.direction, idle=0)
        pico.watch(board.enable, idle=1)
        pico.watch(board.step, self._on_step, idle=0)
        for pin in board.light:
            pico.watch(pin, self._on_light, idle=0)
        pico.drive(board.diag, 0)
        self.driver = Tmc2209(pico, board)
        pico.analog(board.force, self._force_raw)
        pico.analog(board.supply, self._supply_raw)
        self.show_panel()

    def fit(self, plant: Plant, new_point_each_shot: bool = True) -> None:
        """Put another drive, syringe and needle in place of those that nothing has moved yet."""
        plant.new_point()
        plant.advance(self.now_ns)
        self.plant = plant
        self._new_point_each_shot = new_point_each_shot

    @property
    def now_ns(self) -> int:
        """Emulated time since the board was switched on first."""
        return self.pico.now_ns

    @property
    def port_ns(self) -> int:
        """When the operating system of the host offers the gun's port, or has done so."""
        return self.pico.reset_ns + _PORT_NS

    @property
    def driver_on(self) -> bool:
        """True if the driver's enable line is active now."""
        return self.pico.level(self.board.enable) == 0

    def send(self, data: bytes) -> None:
        """Bytes from the host."""
        self.pico.send(data)

    def receive(self) -> bytes:
        """Bytes for the host that have arrived so far."""
        return self.pico.receive()

    def run(self, until_ns: int) -> None:
        """Let time pass until `until_ns`, or until there are bytes for the host."""
        self._run(until_ns, listening=True)

    def run_unheard(self, until_ns: int) -> None:
        """Let time pass until `until_ns`; bytes for the host wait until it listens again."""
        self._run(until_ns, listening=False)

    def listen(self, listening: bool) -> None:
        """Let the host's computer take bytes from the cable, or leave them in the gun."""
        self.pico.listen(listening)

    def unplug(self) -> None:
        """Pull the cable of the host."""
        self.pico.unplug()

    def plug(self) -> None:
        """Push it in again; returns when an operating system offers the port."""
        self.pico.plug()
        self.run_unheard(self.now_ns + _PORT_NS)
        self.pico.receive()

    def stop_processor(self, duration_ns: int) -> None:
        """Let time pass while the processor does nothing, less if the watchdog resets it."""
        self.show_panel()
        self.pico.stop_processor(duration_ns)
        self._move(self.now_ns)

    def lengthen_words(self, steps: int) -> None:
        """Add `steps` to each run of pulses that DMA has not taken from memory yet."""
        for channel in range(_DMA_BASE, _DMA_BASE + _DMA_CHANNELS * _DMA_BYTES, _DMA_BYTES):
            ctrl = self.pico.peek(channel + _DMA_CTRL)
            if not ctrl & _DMA_BUSY or ctrl & _DMA_TREQ:  # 0 is the request of the pulse machine
                continue
            end = self.pico.peek(channel) + 4 * self.pico.peek(channel + _DMA_COUNT)
            # An odd word is the interval of a segment whose first word was taken.
            for at in range(end - 8, self.pico.peek(channel) - 1, -8):
                word = self.pico.peek(at)
                if word >> KIND_BIT & 1:
                    self.pico.poke(at, word + (steps << COUNT_SHIFT))

    def cut_power(self) -> None:
        """Take the power away and give it back at once."""
        self._move(self.now_ns)
        self.pico.cut_power()
        self.forward_steps = self.backward_steps = 0

    def cut_power_at(self, at_ns: int) -> None:
        """Do that at `at_ns`; a flash operation that runs then comes to its end."""
        self._cut_ns = at_ns

    def show_panel(self) -> None:
        """Bring the pins to what the panel says; `run` does it, callbacks in between may."""
        panel, board = self.panel, self.board
        for pin, closed in (
            (board.interlock, panel.interlock_closed),
            (board.trigger, panel.trigger),
            (board.seated, panel.seated),
        ):
            self.pico.drive(pin, 0 if closed else None)

    def _run(self, until_ns: int, listening: bool) -> None:
        pico = self.pico
        while not (listening and pico.has_received) and self.now_ns < until_ns:
            hand_ns = self._hand(self.now_ns)
            self.show_panel()
            look_ns = self.now_ns + _LOOK_NS if self._motion.pending_ns is not None else None
            times = (until_ns, hand_ns, self._cut_ns, look_ns)
            pico.run(min(max(ns, self.now_ns + 1) for ns in times if ns is not None))
            self._move(self.now_ns)
            if self._cut_ns is not None and self._cut_ns <= self.now_ns:
                self._cut_ns = None
                self.cut_power()

    def _hand(self, now_ns: int) -> int | None:
        """Let the operator act; return when that is to be done again."""
        self.panel.light = self._light.look(now_ns)
        if self._operator is None:
            return None
        self._operator.next_ns(now_ns)
        self._operator.act(now_ns)
        times = (self._operator.next_ns(now_ns), self._light.next_ns(now_ns))
        return min((ns for ns in times if ns is not None), default=None)

    def _move(self, now_ns: int) -> None:
        """Let the plant follow the steps."""
        plant = self.plant
        for run in self._motion.until(now_ns):
            rested = run.start_ns - self._moved_ns >= _REST_NS
            if rested and run.forward and self._new_point_each_shot:
                plant.advance(run.start_ns)
                plant.new_point()
            self._moved_ns = run.end_ns
            plant.advance(run.end_ns, (run,))
        pending_ns = self._motion.pending_ns
        plant.advance(now_ns if pending_ns is None else pending_ns)
        self.pico.drive(self.board.diag, int(plant.stallguard.diag))
        plant.stallguard.diag = False

    def _on_step(self, ns: int, level: int) -> None:
        if not level:
            return
        forward = self.pico.level(self.board.direction) == self.board.forward
        step = Step(ns, forward, self.driver_on)
        self.steps.append(step)
        self._motion.add(step)
        if forward:
            self.forward_steps += 1
        else:
            self.backward_steps += 1

    def _on_light(self, ns: int, _level: int) -> None:
        lamps = enumerate(self.board.light)
        self._light.change(ns, sum(self.pico.level(pin) << bit for bit, pin in lamps))
        self.panel.light = self._light.look(ns)
        if self._operator is not None:
            self.pico.stop()

    def _force_raw(self) -> int:
        self._move(self.now_ns)
        return self.plant.force_adc_raw()

    def _supply_raw(self) -> int:
        raw = round(self.plant.supply_v * 1000) * _ADC_MAX // self.board.supply_full_scale_mv
        return min(raw, _ADC_MAX)
