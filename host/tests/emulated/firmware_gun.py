"""The gun's own firmware on an emulated board, with hooks that only a test can reach.

Each hook is a pin that the gun does not use; it acts as long as the test pulls it to ground. The
hooks are put in front of `main.py`, everything behind them is what a technician flashes.
"""

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Self

from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.board import Board
from mesogun.emulated.pico import STORAGE_BYTES, Pico
from mesogun.emulated.world import EmulatedWorld
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.program.planned import PlannedStep
from mesogun.service.filesystem import make_filesystem
from mesogun.service.package import build_package
from mesogun.virtual.firmware import firmware_folder
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.simulated import SimulatedTransport
from mesogun_protocol.enums import StepKind
from mesogun_protocol.limits import FLASH_SECTOR_BYTES
from mesogun_protocol.records import Record, decode_record

MS = 1_000_000
PL_PER_STEP = 25_000
SHOT_STEPS = 400
#: 400 steps in 100 ms, and as long a rest.
SHOT = PlannedStep(StepKind.SHOTS, dose_nl=10_000, inject_us=100_000, period_us=200_000)
BOARD_ID = bytes(range(1, 9))

_BOOT_NS = 2_000 * MS
_HUNG_PIN = 22


class Hook(IntEnum):
    """Pins of the hooks: what the main loop does at its next pass."""

    RAISE = 14
    INTERRUPT = 15
    SPIN = 16
    SLEEP = 17
    COLLECT = 18
    WRITE = 19
    TELL_HEAP = 20
    CORRUPT = 21  # what is given to the pulse engine gets larger counts


_HOOKS = f"""
import gc, machine, time
from array import array
from gun.inputs import Inputs
from gun.recorder import Recorder
from hal.rp2040.pulse import Pulse

def _hook(number):
    return machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP)

_throw, _interrupt, _spin, _sleep = [_hook(n) for n in range({Hook.RAISE}, {Hook.COLLECT})]
_collect, _write, _tell, _corrupt = [_hook(n) for n in range({Hook.COLLECT}, {Hook.CORRUPT + 1})]
_hung = machine.Pin({_HUNG_PIN}, machine.Pin.OUT, value=0)
_update, _submit, _connect, _result = Inputs.update, Pulse.submit, Recorder.connect, Recorder.result
_live = []
_collected = [0]
_recorder = []
_free = array("I", [0] * 32)

def _act(self, now_ms):
    if not _throw.value():
        raise ValueError("as the test wants it")
    if not _interrupt.value():
        raise KeyboardInterrupt
    _hung(not _spin.value() or not _sleep.value())
    while not _spin.value():
        pass
    while not _sleep.value():
        time.sleep_ms(100_000)
    _hung(0)
    if not _collect.value():
        if not _live:
            _live.extend([n] for n in range(1000))
        if now_ms - _collected[0] >= 50:
            _collected[0] = now_ms
            gc.collect()
    if not _write.value():
        _recorder[0].limits(1, 1, 1)
    if not _tell.value():
        gc.collect()
        print("free", gc.mem_free(), list(_free))
    return _update(self, now_ms)

def _give(self, words, count):
    if not _corrupt.value():
        for index in range(0, count, 2):
            words[index] += 1000 << 2
    _submit(self, words, count)

def _keep(self, tell):
    _recorder.append(self)
    _connect(self, tell)

def _note(self, slot, forward, backward, ms, reason):
    _result(self, slot, forward, backward, ms, reason)
    if slot.shot < 32:
        _free[slot.shot] = gc.mem_free()

Inputs.update, Pulse.submit, Recorder.connect, Recorder.result = _act, _give, _keep, _note
"""


def boot(image: Path) -> "FirmwareGun":
    """Switch on a board whose flash holds the firmware, and let it boot."""
    files = build_package().files
    files = {**files, "main.py": _HOOKS.encode() + files["main.py"]}
    storage = bytearray(b"\xff" * STORAGE_BYTES)
    for number, block in make_filesystem(files, STORAGE_BYTES // FLASH_SECTOR_BYTES).blocks.items():
        storage[number * FLASH_SECTOR_BYTES : (number + 1) * FLASH_SECTOR_BYTES] = block
    settings = Simulation(get_syringe("bd-plastipak-5"), get_needle("30g-4")).settings()
    world = EmulatedWorld(
        Pico(image, bytes(storage), BOARD_ID),
        Board.read(firmware_folder() / "boards" / "reference.py"),
        Plant(settings.plant, settings.seed),
        Panel(),
    )
    world.run_unheard(_BOOT_NS)
    return FirmwareGun(world)


class _Cable(SimulatedTransport):
    """The host's end of a connection."""

    name = "emulated board"

    def close(self) -> None:
        """Unplug it; the gun goes on."""


class FirmwareGun:
    """A gun that has booted, and its surroundings."""

    def __init__(self, world: EmulatedWorld) -> None:
        self.world = world
        self.pico = world.pico

    def greet(self) -> Self:
        """Open the conversation, as a host that has just been plugged in."""
        self.world.receive()
        self.gun = Gun.open(_Cable(self.world, speed=None))
        return self

    def load(self) -> Self:
        """Greet, declare a syringe and set limits."""
        self.greet()
        self.gun.load_syringe(PL_PER_STEP, 4_000_000, 800, 1, 164)
        self.gun.set_limits(4_000_000, 4_000_000, 1000)
        return self

    def arm(self, *steps: PlannedStep) -> int:
        """Load, upload and arm; return the number of the session."""
        self.load()
        self.gun.arm(1, self.gun.upload(steps).program_crc)
        return 1

    def start(self, *steps: PlannedStep) -> int:
        """Do that and start; return the time of the first step."""
        before = len(self.world.steps)
        session_id = self.arm(*steps)  # which greets, and so makes `gun`
        self.gun.start(session_id)
        while len(self.world.steps) == before:
            self.run(0.1)
        return self.world.steps[before].ns

    def run(self, milliseconds: float) -> None:
        """Let time pass with a silent host."""
        self.world.run_unheard(self.world.now_ns + round(milliseconds * MS))

    def run_to(self, ns: int) -> None:
        """Let time pass with a silent host until `ns`."""
        self.world.run_unheard(ns)

    def pull(self, hook: Hook) -> None:
        """Let a hook act from now on."""
        self.pico.drive(hook, 0)

    def let_go(self, hook: Hook) -> None:
        """Let it act no longer."""
        self.pico.drive(hook, None)

    def steps_since(self, ns: int) -> list[int]:
        """Return the times of the steps later than `ns`."""
        return [step.ns for step in self.world.steps if step.ns > ns]

    @property
    def is_hung(self) -> bool:
        """True if the interpreter has come to `Hook.SPIN` or `Hook.SLEEP` and not out of it."""
        return self.pico.level(_HUNG_PIN) == 1

    def witnessed(self) -> tuple[int, int]:
        """Read the witness itself: forward and backward steps, from some number on."""
        self.pico._pio.settle()
        core = self.pico._mcu.pio[1].machines[0]
        return -core.x & 0xFFFFFFFF, -core.y & 0xFFFFFFFF

    def records(self) -> list[Record]:
        """Return all records that the gun holds, decoded."""
        return [decode_record(raw) for raw in self.gun.read_records(1)]


def starts_of(rising_ns: Sequence[int], gap_ns: int = 20 * MS) -> list[int]:
    """Return the first step of each group of steps with `gap_ns` of rest before it."""
    return [
        ns for index, ns in enumerate(rising_ns) if index == 0 or ns - rising_ns[index - 1] > gap_ns
    ]
