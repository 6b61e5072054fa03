"""Feeds random and damaged input to the parsers of the device: `device_fuzz.py TARGET SEED COUNT`.

Runs on MicroPython, all in one process, and writes what became of the inputs as JSON. Whatever a
parser raises beside its own refusal ends it with a traceback. Same seed, same inputs.
"""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import gc
import json
import random
import sys
from struct import pack_into

from mp_session import Machine, Stop, frames_of_a_run
from simflash import SimFlash

from gun import wire
from gun.app import App
from gun.frame import ENCODED_MAX, FrameReader, encode
from gun.program import Program, ProgramRefused

TYPE_CHECKING = False  # MicroPython has no typing module
if TYPE_CHECKING:
    from typing import Any

_LIVES = 2000  # inputs between two starts of a gun, whose journal would be full one day
_REQUESTS = sorted(
    getattr(wire, name)
    for name in dir(wire)
    if name.startswith("MSG_") and 0 < getattr(wire, name) < 0x80
)
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def _noise(buf, length):
    """Fill the start of `buf`: often small numbers, sometimes the ends of the ranges."""
    at = 0
    while at < length:
        choice = random.getrandbits(3)
        if choice < 3 and at + 4 <= length:
            pack_into("<I", buf, at, _NUMBERS[random.getrandbits(8) % len(_NUMBERS)])
            at += 4
        else:
            buf[at] = random.getrandbits(8) if choice < 6 else random.getrandbits(3)
            at += 1


class Frames:
    """Sound frames, damaged ones and noise in pieces: only what is sound comes out, in step."""

    def __init__(self):
        self._reader = FrameReader()
        self._content = bytearray(ENCODED_MAX + 8)
        self._told = memoryview(self._content)
        self._sent = bytearray(ENCODED_MAX + 1)
        self._view = memoryview(self._sent)
        self.told = {"sound": 0, "damaged": 0, "accepted": 0}

    def input(self):
        length = self._length = 3 + random.getrandbits(5 if random.getrandbits(2) else 9)
        _noise(self._content, length)
        # CRC-32 of FFFFFFFF is FFFFFFFF: what begins with both and is cut behind them is sound
        # again. No request has the number FF.
        self._content[0] %= 0xFF
        size = encode(self._content, length, self._sent)
        damaged = random.getrandbits(1)
        if damaged:
            size = self._damage(size)
            # Whatever came before, the zero in front of the next frame brings the reader in step.
            self._sent[size - 1] = 0
        accepted = self._take(size)
        self.told["accepted"] += accepted
        self.told["damaged" if damaged else "sound"] += 1
        if not damaged and accepted != 1:
            raise AssertionError(f"a sound frame behind others was cut into {accepted}")

    def _damage(self, size):
        for _ in range(1 + random.getrandbits(2)):
            choice = random.getrandbits(2)
            at = random.getrandbits(10) % size
            if choice == 0:
                self._sent[at] ^= 1 << random.getrandbits(3)
            elif choice == 1:
                self._sent[at] = random.getrandbits(8)
            elif choice == 2:
                size = max(at, 1)
            else:
                # Not `_noise`: CRC-32 of FFFFFFFF is FFFFFFFF, so that it makes sound frames.
                for index in range(size):
                    self._sent[index] = random.getrandbits(8)
        return size

    def _take(self, size):
        found = at = 0
        while at < size:
            piece = min(size, at + 1 + random.getrandbits(8))
            while at < piece:
                at = self._reader.take(self._view[:piece], at)
                if self._reader.length:
                    found += 1
                    # Damage that leaves a frame as it was, such as behind its end, is none.
                    if self._reader.view[: self._reader.length] != self._told[: self._length]:
                        raise AssertionError("a frame came out that was not sent")
        return found

    def rest(self):
        pass


class Requests:
    """Bodies of every length in frames that are sound, to a gun in whatever state they bring on."""

    def __init__(self):
        self._machine: Any
        self._app: Any
        self._content = bytearray(ENCODED_MAX + 8)
        self._frame = bytearray(ENCODED_MAX + 1)
        self._view = memoryview(self._frame)
        self._number = 0
        self.told = {"answered": 0, "starts": 0, "running": 0}
        self._begun = 0
        self.rest()

    def input(self):
        if not self._life:
            self._start()
        self._life -= 1
        choice = random.getrandbits(8)
        message = _REQUESTS[choice % len(_REQUESTS)] if choice < 250 else random.getrandbits(8)
        length = random.getrandbits(5 if random.getrandbits(3) else 9)
        _noise(self._content, 3 + length)
        self._number = self._number % 0xFFFF + 1
        self._send(message, length)

    def _start(self):
        self._life = _LIVES
        machine = self._machine = Machine()
        machine.flash = SimFlash()
        machine.serial.send = self._answer
        self._app = App(machine)
        self.told["starts"] += 1
        # Some guns are running, some armed, some only greeted when the noise begins.
        frames = frames_of_a_run()
        self._number = 99 + len(frames)
        machine.script = frames[: (1, len(frames) - 1, len(frames), len(frames))[self._begun]]
        self._begun = (self._begun + 1) % 4
        self._live(len(machine.script))
        self.told["running"] += self._app._controller.state == wire.STATE_RUNNING

    def rest(self):
        self._life = 0
        self._machine = self._app = None

    def _answer(self, data):
        self.told["answered"] += 1

    def _send(self, message, length):
        content = self._content
        content[0] = message
        content[1] = self._number & 0xFF
        content[2] = self._number >> 8
        size = encode(content, 3 + length, self._frame)
        machine = self._machine
        machine.script.append(self._view[:size])
        machine.inputs = 14 | random.getrandbits(1) * wire.INPUT_TRIGGER
        self._live(1)
        fault = self._app._controller.fault
        if fault in (wire.FAULT_INTERNAL, wire.FAULT_JOURNAL_WRITE):
            raise AssertionError(f"message {message} of {length} bytes brought fault {fault} on")

    def _live(self, cycles):
        machine = self._machine
        machine.end_ms = machine.clock_ms + cycles
        try:
            self._app.run()
        except Stop:
            pass


class Programs:
    """Programs of every size, decoded against the limits of a gun."""

    session_nl = 10000000
    shot_nl = 1000000
    shots = 10800

    def __init__(self):
        self._program = Program()
        self._data = bytearray(1024)
        self.told = {"taken": 0, "refused": 0}

    def input(self):
        length = 1 + random.getrandbits(2)
        size = wire.SIZE_PROGRAM_HEADER + length * wire.SIZE_PROGRAM_STEP
        if random.getrandbits(3) == 0:
            size = random.getrandbits(9)
        _noise(self._data, max(size, 1))
        if random.getrandbits(3):
            self._likely(length)
        try:
            self._program.load(self._data, size, self, 41283, 5000000, 40000, 4000)
            self.told["taken"] += 1
        except ProgramRefused:
            self.told["refused"] += 1
            if self._program.length or self._program.shots:
                raise AssertionError("what was refused is held") from None

    def rest(self):
        pass

    def _likely(self, length):
        """Make a program that is sound but for what noise does to it."""
        total_nl = 0
        for index in range(length):
            at = wire.SIZE_PROGRAM_HEADER + index * wire.SIZE_PROGRAM_STEP
            dose_nl = 1000 + random.getrandbits(15)
            count = 1 + random.getrandbits(4)
            step = (1, 0, 0, count, dose_nl, 150000, 400000, 0, 0, 0, 0, 0, 80, 200)
            pack_into("<BBBIIIIIIIBIHH", self._data, at, *step)
            total_nl += count * dose_nl
            if random.getrandbits(2) == 0:
                self._data[at + random.getrandbits(5)] = random.getrandbits(8)
        pack_into("<BI", self._data, 0, length, total_nl)


def _held(fuzzed):
    fuzzed.rest()
    gc.collect()
    return gc.mem_alloc()


def main(target, seed, count):
    """Feed `count` inputs after a warm-up of _LIVES, and write what became of all of them."""
    random.seed(seed)
    fuzzed = {"frames": Frames, "requests": Requests, "programs": Programs}[target]()
    for _ in range(_LIVES):
        fuzzed.input()
    before = _held(fuzzed)
    for _ in range(count):
        fuzzed.input()
    told = dict(fuzzed.told, heap_before=before, heap_after=_held(fuzzed))
    sys.stdout.write(json.dumps(told) + "\n")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
