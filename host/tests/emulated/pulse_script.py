"""The gun's pulse program on a bare board, from a script: no firmware is needed."""

import struct
from collections.abc import Sequence

from mesogun.emulated.pico import Pico
from mesogun.virtual.pulse_stream import PulseStream
from tests.emulated.raw_repl import SECOND_NS, RawRepl

STEP, DIRECTION, INTERLOCK = 2, 3, 4

_SCRIPT = """
import gc, machine, rp2, time, ubinascii
@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_init=rp2.PIO.OUT_LOW, autopull=True,
             pull_thresh=32, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def pulses():
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
sm = rp2.StateMachine(0, pulses, freq=5_000_000, sideset_base=machine.Pin(2),
                      out_base=machine.Pin(3), jmp_pin=machine.Pin(4, machine.Pin.IN))
dma = rp2.DMA()
def start():
    ctrl = dma.pack_ctrl(size=2, inc_write=False, treq_sel=0)
    dma.config(read=words, write=sm, count=len(words) // 4, ctrl=ctrl)
    dma.active(1)
sm.active(1)
"""


class PulseScript:
    """Lets the emulated chip make the pulses of a block of words."""

    def __init__(self, pico: Pico, repl: RawRepl) -> None:
        self.pico = pico
        self._repl = repl
        pico.drive(INTERLOCK, 0)
        pico.watch(STEP)
        pico.watch(DIRECTION)
        repl.run(_SCRIPT)

    def load(self, words: Sequence[int]) -> None:
        data = struct.pack(f"<{len(words)}I", *words).hex()
        self._repl.run(f"words = ubinascii.unhexlify(b'{data}')", 60)

    def start(self, meanwhile: str = "time.sleep_ms(100_000)") -> None:
        self.pico.edges.clear()
        self._repl.start(f"start()\n{meanwhile}")

    def rest(self, duration_ns: int) -> None:
        """Let time pass, whatever the script says."""
        end_ns = self.pico.now_ns + duration_ns
        while self.pico.now_ns < end_ns:
            self.pico.run(end_ns)

    def rising(self) -> list[int]:
        return [edge.ns for edge in self.pico.edges if edge.pin == STEP and edge.level]


def planned_edges(
    words: Sequence[int], interlock_opens_ns: int | None = None
) -> tuple[int, list[int]]:
    """Return the end and the edges of a block that begins at 0, by the arithmetic interpreter."""
    stream = PulseStream()
    stream.submit(0, words)
    end_ns = stream.ends_ns
    assert end_ns is not None
    if interlock_opens_ns is not None:
        runs = stream.advance(interlock_opens_ns)
        stream.set_interlock(interlock_opens_ns, True)
        runs += stream.advance(end_ns + SECOND_NS)
    else:
        runs = stream.advance(end_ns)
    return end_ns, [edge for run in runs for edge in run.edges()]
