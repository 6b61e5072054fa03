"""The gun's pulse program on a bare board, from a script: no firmware is needed."""

import ast
import struct
from collections.abc import Sequence

from mesogun.emulated.pico import Pico
from mesogun.virtual.firmware import firmware_folder
from mesogun.virtual.pulse_stream import PulseStream
from tests.emulated.raw_repl import SECOND_NS, RawRepl

STEP, DIRECTION, INTERLOCK = 2, 3, 4


def _firmware_program() -> str:
    """The source of the pulse program, decorator included, as the firmware has it."""
    source = (firmware_folder() / "hal" / "rp2040" / "pulse.py").read_text(encoding="utf-8")
    (function,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "pulse_program"
    )
    first = function.decorator_list[0].lineno
    return "\n".join(source.splitlines()[first - 1 : function.end_lineno])


_SCRIPT = f"""
import gc, machine, rp2, time, ubinascii
{_firmware_program()}
sm = rp2.StateMachine(0, pulse_program, freq=5_000_000, sideset_base=machine.Pin(2),
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
