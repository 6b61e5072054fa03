"""Measures how exactly steps and shots come on an emulated RP2040: `make bench`.

Three ways to step, each under the same loads, on the same MicroPython: mesogun's pulse engine, a
library that steps from a Timer (micropython-stepper), and a loop that sleeps. Emulated time is
exact and deterministic, so the figures are the same on any machine. Flash erasure and waits for the
flash's cache are not part of the emulation: those of the two others are a lower bound.
"""

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from mesogun.emulated.copies import in_copy
from mesogun.emulated.image import NoImage, find_image
from mesogun.emulated.pico import STORAGE_BYTES, Pico
from mesogun.service.filesystem import make_filesystem
from mesogun.service.package import build_package
from mesogun_protocol.limits import FLASH_SECTOR_BYTES

SHOTS, STEPS, INTERVAL_US, PERIOD_US = 20, 10, 1_000, 100_000
STEP_PIN, DIR_PIN, INTERLOCK_PIN = 2, 3, 6
_SECOND_NS = 1_000_000_000

_LOADS = {
    "idle": "pass",
    "gc": "if count[0] % 3 == 0: gc.collect()",
    "journal": "flash.writeblocks(300, page, 256 * (count[0] % 16))",
    "usb": "print(text)",
}
"""What a Timer does every 23 ms: nothing, a collection each third time, a page, 100 bytes."""

_PRELUDE = """
import gc, machine, rp2, time
live = [[n] for n in range(1000)]
flash, page, text, count = rp2.Flash(), bytes(256), "x" * 98, [0]
flash.ioctl(6, 300)
def load(_timer):
    count[0] += 1
    {load}
timer = machine.Timer(period=23, callback=load)
def until(us):
    while time.ticks_diff(time.ticks_us(), begin) < us:
        time.sleep_ms(1)
"""

_METHODS = {
    "mesogun": f"""
from gun import motion
from hal.rp2040.pulse import Pulse
class Clock:
    def update(self):
        pass
pulse, timing, blocks = Pulse(Clock()), motion.Timing(), (motion.Block(), motion.Block())
timing.set({STEPS}, {STEPS * INTERVAL_US}, {PERIOD_US}, 0, 0, 0, 4000)
begin = time.ticks_us()
for shot in range({SHOTS}):
    block = blocks[shot & 1]
    block.plan(timing, 0, {STEPS}, 0, 0)
    # As the sequencer does it: in the rest of the shot before.
    until(shot * {PERIOD_US} - {PERIOD_US // 2})
    pulse.submit(block.words, block.count)
until({SHOTS} * {PERIOD_US})
""",
    "timer a step": f"""
from stepper import Stepper
motor = Stepper({STEP_PIN}, {DIR_PIN}, speed_sps={1_000_000 // INTERVAL_US})
begin = time.ticks_us()
for shot in range({SHOTS}):
    until(shot * {PERIOD_US})
    motor.target((shot + 1) * {STEPS})
until({SHOTS} * {PERIOD_US})
""",
    "sleep loop": f"""
step = machine.Pin({STEP_PIN}, machine.Pin.OUT, value=0)
begin = time.ticks_us()
for shot in range({SHOTS}):
    until(shot * {PERIOD_US})
    for _ in range({STEPS}):
        step(1)
        time.sleep_us({INTERVAL_US // 2})
        step(0)
        time.sleep_us({INTERVAL_US // 2})
until({SHOTS} * {PERIOD_US})
""",
}


class Deviations(NamedTuple):
    """Of one train, in microseconds.

    Attributes:
        steps: made, of `SHOTS * STEPS`.
        interval: largest deviation of a step interval within a shot.
        start: largest deviation of the time between the starts of two shots.
        accumulated: of the last start from its plan.
    """

    steps: int
    interval: float
    start: float
    accumulated: float


def main() -> None:
    """Print the table, row by row."""
    try:
        image = find_image()
    except NoImage as error:
        print(f"timing    not measured: {error}")
        return
    pico = _board(image)
    print(f"{SHOTS} shots of {STEPS} steps, {INTERVAL_US} us a step, {PERIOD_US} us a shot")
    print("deviations in us: step interval (max), shot to shot (max), accumulated over the train")
    print(f"{'':14}{'load':9}{'steps':>6}{'interval':>12}{'shot':>12}{'accumulated':>13}")
    for method, script in _METHODS.items():
        for load, act in _LOADS.items():
            source = _PRELUDE.format(load=act) + script
            found = in_copy(lambda source=source: _measure(pico, source))
            print(
                f"{method:14}{load:9}{found.steps:6}{found.interval:12.3f}{found.start:12.3f}"
                f"{found.accumulated:13.3f}",
                flush=True,
            )


def _board(image: Path) -> Pico:
    """Return a board at its raw prompt, with the firmware's modules and the library on it."""
    library = importlib.util.find_spec("stepper")
    if library is None or library.origin is None:
        raise SystemExit("micropython-stepper is not installed: make dev")
    files = {name: data for name, data in build_package().files.items() if name.endswith(".mpy")}
    files["stepper.py"] = Path(library.origin).read_bytes()
    storage = bytearray(b"\xff" * STORAGE_BYTES)
    for number, block in make_filesystem(files, STORAGE_BYTES // FLASH_SECTOR_BYTES).blocks.items():
        storage[number * FLASH_SECTOR_BYTES : (number + 1) * FLASH_SECTOR_BYTES] = block
    pico = Pico(image, bytes(storage))
    pico.drive(INTERLOCK_PIN, 0)
    pico.watch(STEP_PIN, idle=0)
    pico.run_until(lambda: pico.connected, 5 * _SECOND_NS)
    pico.send(b"\r\x03\x03\x01")
    pico.run(pico.now_ns + _SECOND_NS // 10)
    pico.receive()
    return pico


def _measure(pico: Pico, source: str) -> Deviations:
    heard = bytearray()

    def over() -> bool:
        heard.extend(pico.receive())
        return heard.endswith(b"\x04>")

    pico.send(source.encode() + b"\x04")
    if not pico.run_until(over, 60 * _SECOND_NS) or not heard.endswith(b"\x04\x04>"):
        raise SystemExit(f"the script failed on the board: {bytes(heard[-600:]).decode()}")
    rising = [edge.ns for edge in pico.edges if edge.level]
    starts = rising[::STEPS]
    gaps = [
        (after - before) / 1000 - INTERVAL_US
        for index, (before, after) in enumerate(pairwise(rising), 1)
        if index % STEPS
    ]
    periods = [(b - a) / 1000 - PERIOD_US for a, b in pairwise(starts)]
    accumulated = (starts[-1] - starts[0]) / 1000 - (len(starts) - 1) * PERIOD_US
    return Deviations(len(rising), max(map(abs, gaps)), max(map(abs, periods)), accumulated)


if __name__ == "__main__":
    main()
