"""The whole logic through a train on a machine that takes no memory: what does a shot allocate?"""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import gc
import struct
from array import array
from binascii import crc32

import mark
from simflash import SECTOR_BYTES, SimFlash

import gun.app
from gun import frame, wire
from gun.app import App

_BLANK = b"\xff" * SECTOR_BYTES
_NOTHING = memoryview(b"")


class QuietFlash(SimFlash):
    """Reads without taking memory, so that what is taken is the logic's."""

    def __init__(self):
        super().__init__()
        for sector in (0, 1, 2, 256, 257):
            self.materialise(sector)

    def read(self, offset, buf):
        sector = self.sectors[offset // SECTOR_BYTES] or _BLANK
        for index in range(len(buf)):
            buf[index] = sector[offset % SECTOR_BYTES + index]


class Serial:
    def __init__(self):
        self.data = _NOTHING

    def take(self):
        data, self.data = self.data, _NOTHING
        return data

    def send(self, data):
        pass


class Pulse:
    """Two blocks at most; a block makes all its steps as it begins."""

    def __init__(self, machine):
        self._machine = machine
        self._forward = array("I", [0, 0])
        self._backward = array("I", [0, 0])
        self._us = array("I", [0, 0])
        self._end_us = 0
        self.forward_steps = self.backward_steps = self.blocks = 0
        self.interlock_latched = self.budget_tripped = False

    def submit(self, words, count):
        forward = backward = ticks = 0
        for at in range(0, count, 2):
            items = (words[at] >> wire.COUNT_SHIFT) + 1
            pulses = words[at] >> wire.KIND_BIT & 1
            if words[at] >> wire.DIRECTION_BIT & 1:
                forward += items * pulses
            else:
                backward += items * pulses
            ticks += wire.SEGMENT_TICKS + items * (words[at + 1] + wire.PULSE_TICKS)
        self._forward[self.blocks] = forward
        self._backward[self.blocks] = backward
        self._us[self.blocks] = ticks // wire.TICKS_PER_US
        self.blocks += 1
        if self.blocks == 1:
            self._end_us = self._machine.clock_ms * 1000
            self._begin()

    def _begin(self):
        self.forward_steps += self._forward[0]
        self.backward_steps += self._backward[0]
        self._end_us += self._us[0]

    def read(self):
        while self.blocks and self._machine.clock_ms * 1000 >= self._end_us:
            self.blocks -= 1
            self._forward[0] = self._forward[1]
            self._backward[0] = self._backward[1]
            self._us[0] = self._us[1]
            if self.blocks:
                self._begin()

    def abort(self):
        self.read()
        self.blocks = 0

    def check_driver(self):
        return 0

    def enable(self, budget_steps):
        pass

    def disable(self):
        pass


class Panel:
    def show(self, light, buzzer):
        pass


class Stop(Exception):
    pass


class Machine:
    board_id = b"01234567"
    reset_cause = wire.RESET_POWER_ON
    force_raw = 0

    def __init__(self):
        self.clock_ms = 0
        self.inputs = 14
        self.flash = QuietFlash()
        self.serial = Serial()
        self.pulse = Pulse(self)
        self.panel = Panel()
        self.script = []
        self.end_ms = 0

    def wait(self, deadline_ms):
        if self.script:
            self.serial.data = memoryview(self.script.pop(0))
            self.clock_ms += 1
        else:
            self.clock_ms = max(self.clock_ms + 1, min(deadline_ms, self.end_ms))
            if self.clock_ms > self.end_ms:
                raise Stop
        self.force_raw ^= 1
        self.pulse.read()


def frames_of_a_run():
    """Return the requests that make a gun run a long train under its trigger."""
    step = struct.pack(
        "<BBBIIIIIIIBIHH",
        *(1, wire.TRIGGER_HOLD, 0, 4000, 1000, 100000, 200000, 0, 500, 0, 0, 2000, 80, 200),
    )
    program = struct.pack("<BI", 1, 4000000) + step
    crc = crc32(program)
    bodies = (
        (wire.MSG_HELLO, struct.pack("<BI", wire.PROTOCOL_VERSION, wire.SCHEMA_HASH)),
        (wire.MSG_LOAD_SYRINGE, struct.pack("<IIHIH", 28558, 4100000, 800, 1, 164)),
        (wire.MSG_SET_LIMITS, struct.pack("<III", 4000000, 100000, 4000)),
        (wire.MSG_PROGRAM_BEGIN, struct.pack("<HI", len(program), crc)),
        (wire.MSG_PROGRAM_CHUNK, struct.pack("<HH", 0, len(program)) + program),
        (wire.MSG_PROGRAM_COMMIT, struct.pack("<I", crc)),
        (wire.MSG_ARM, struct.pack("<II", 1, crc)),
        (wire.MSG_START, struct.pack("<I", 1)),
    )
    return [framed(message, 100 + number, body) for number, (message, body) in enumerate(bodies)]


def framed(message, number, body):
    """Return a request as it travels."""
    content = bytearray(600)
    content[: 3 + len(body)] = struct.pack("<BH", message, number) + body
    out = bytearray(frame.ENCODED_MAX + 1)
    return bytes(out[: frame.encode(content, 3 + len(body), out)])


def _run(app, machine, seconds, milliseconds=0):
    machine.end_ms = machine.clock_ms + seconds * 1000 + milliseconds
    try:
        app.run()
    except Stop:
        pass


def _taken(app, machine, seconds):
    before = gc.mem_alloc()
    _run(app, machine, seconds)
    return gc.mem_alloc() - before


@mark.req("R43")
def test_a_shot_of_a_train_takes_no_memory():
    machine = Machine()
    app = App(machine)
    controller = app._controller
    machine.script = frames_of_a_run()
    _run(app, machine, 1)
    assert controller.state == wire.STATE_RUNNING, controller.state
    machine.inputs |= wire.INPUT_TRIGGER
    _run(app, machine, 2)
    gc.collect()
    gc.disable()
    before = controller.sequencer.shots_done
    few = _taken(app, machine, 2)
    between = controller.sequencer.shots_done
    many = _taken(app, machine, 20)
    shots = controller.sequencer.shots_done - between
    assert shots - (between - before) >= 89
    assert many == few, (few, many)  # what the end of each run takes


class Collector:
    """Stands in for the module gc, and notes whether a shot was moving or was about to."""

    def __init__(self, sequencer):
        self._sequencer = sequencer
        self.rests_ms = []

    def collect(self):
        assert not self._sequencer.moving
        self.rests_ms.append(self._sequencer.rest_ms())


@mark.req("R13", "R43")
def test_garbage_of_a_host_that_asks_all_the_time_is_collected_in_rests():
    machine = Machine()
    app = App(machine)
    sequencer = app._controller.sequencer
    machine.script = frames_of_a_run()
    _run(app, machine, 1)
    collector = gun.app.gc = Collector(sequencer)
    try:
        machine.inputs |= wire.INPUT_TRIGGER
        asked = 200
        for number in range(asked):
            machine.script = [framed(wire.MSG_STATUS, 200 + number, b"")]
            _run(app, machine, 0, 50)
    finally:
        gun.app.gc = gc
    assert sequencer.shots_done > 20, sequencer.shots_done
    assert asked // 32 - 1 <= len(collector.rests_ms) <= asked // 32, collector.rests_ms
    assert min(collector.rests_ms) >= 30
