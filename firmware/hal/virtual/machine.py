"""The gun's hardware as messages over standard input and output to the simulated world.

Requests without an answer are collected and leave with the next one that has an answer, so that a
cycle of the main loop costs one write and one read.
"""

import sys

import micropython

from boards import reference as board
from gun import wire
from hal.virtual import cosim_wire as cosim

_HEAD = micropython.const(3)
_SERIAL_BYTES = micropython.const(512)  # what the world hands over at once, at most
_NEVER_MS = micropython.const(0x3FFFFFFF)
_AHEAD_BYTES = micropython.const(1024)  # divides a sector, and holds what is read at once mostly


class Pipe:
    """Frames of length (u16), kind (u8), body."""

    def __init__(self, source, sink):
        self._source = source
        self._sink = sink
        self._out = bytearray(16384)
        self._out_view = memoryview(self._out)
        self._used = 0
        self._in = bytearray(8192)
        self._in_view = memoryview(self._in)

    def body_at(self, need):
        """Offset in the output buffer at which a body of `need` bytes at most may be packed."""
        if self._used + _HEAD + need > len(self._out):
            self._flush()
        return self._used + _HEAD

    @property
    def out(self):
        return self._out

    def post(self, kind, end):
        """Queue the frame whose body was packed up to `end`."""
        start = self._used
        size = end - start - 2
        self._out[start] = size & 0xFF
        self._out[start + 1] = size >> 8
        self._out[start + 2] = kind
        self._used = end

    def ask(self, kind, end, answer):
        """Send everything and return the body of the answer, which must be of kind `answer`."""
        self.post(kind, end)
        self._flush()
        view = self._in_view
        self._fill(view[:_HEAD])
        size = view[0] | view[1] << 8
        if view[2] != answer or not 1 <= size <= len(view) - 2:
            raise RuntimeError(f"the world answered {view[2]} of {size} bytes")
        body = view[_HEAD : size + 2]
        self._fill(body)
        return body

    def _flush(self):
        self._sink.write(self._out_view[: self._used])
        self._used = 0

    def _fill(self, view):
        got = 0
        while got < len(view):
            n = self._source.readinto(view[got:])
            if not n:
                raise SystemExit  # the world is gone, as if the power had been cut
            got += n


class Serial:
    def __init__(self, pipe):
        self._pipe = pipe
        self._received = memoryview(bytearray(_SERIAL_BYTES))
        self._count = 0

    def take(self):
        count, self._count = self._count, 0
        return self._received[:count]

    def receive(self, data):
        """Keep bytes apart from the pipe's buffer, which the next answer overwrites."""
        self._count = len(data)
        self._received[: self._count] = data

    def send(self, data):
        at = self._pipe.body_at(len(data) + 2)
        self._pipe.post(cosim.MSG_SEND, cosim.pack_send(self._pipe.out, at, data))


class Pulse:
    """Each wake tells the state, so `read` asks for it only if something was done since."""

    def __init__(self, pipe, machine):
        self._pipe = pipe
        self._machine = machine
        self._stale = True
        self.forward_steps = 0
        self.backward_steps = 0
        self.blocks = 0
        self.interlock_latched = False
        self.budget_tripped = False

    def submit(self, words, count):
        data = memoryview(bytes(memoryview(words)[:count]))
        at = self._pipe.body_at(len(data) + 2)
        self._post(cosim.MSG_PULSE_SUBMIT, cosim.pack_pulse_submit(self._pipe.out, at, data))

    def read(self):
        if self._stale:
            self._ask(cosim.MSG_PULSE_READ)

    def abort(self):
        self._ask(cosim.MSG_PULSE_ABORT)

    def check_driver(self):
        self.abort()
        return 0  # the virtual driver has no settings

    def enable(self, budget_steps):
        self._driver(1, budget_steps)

    def disable(self):
        self._driver(0, 0)

    def take(self, forward_steps, backward_steps, blocks, interlock_latched, budget_tripped):
        self.forward_steps = forward_steps
        self.backward_steps = backward_steps
        self.blocks = blocks
        self.interlock_latched = bool(interlock_latched)
        self.budget_tripped = bool(budget_tripped)
        self._stale = False

    def time_passed(self):
        self._stale = True

    def _driver(self, enabled, budget_steps):
        at = self._pipe.body_at(cosim.SIZE_DRIVER)
        self._post(cosim.MSG_DRIVER, cosim.pack_driver(self._pipe.out, at, enabled, budget_steps))

    def _post(self, kind, end):
        self._pipe.post(kind, end)
        self._stale = True

    def _ask(self, kind):
        body = self._pipe.ask(kind, self._pipe.body_at(0), cosim.MSG_PULSE_STATE)
        state = cosim.unpack_pulse_state(body, 0, len(body))
        self._machine.clock_ms = state[0]
        self.take(*state[1:])


class Flash:
    """Reads ahead: two of three questions to the world would be for a record of 32 bytes."""

    def __init__(self, pipe, pulse):
        self._pipe = pipe
        self._pulse = pulse
        self._ahead = memoryview(bytearray(_AHEAD_BYTES))
        self._ahead_from = -_AHEAD_BYTES

    def read(self, offset, buf):
        size = len(buf)
        start = offset - offset % _AHEAD_BYTES
        if offset + size > start + _AHEAD_BYTES:
            buf[:] = self._ask(offset, size)
            return
        if start != self._ahead_from:
            self._ahead[:] = self._ask(start, _AHEAD_BYTES)
            self._ahead_from = start
        buf[:] = self._ahead[offset - start : offset - start + size]

    def _ask(self, offset, size):
        at = self._pipe.body_at(cosim.SIZE_FLASH_READ)
        end = cosim.pack_flash_read(self._pipe.out, at, offset, size)
        body = self._pipe.ask(cosim.MSG_FLASH_READ, end, cosim.MSG_FLASH_DATA)
        (data,) = cosim.unpack_flash_data(body, 0, len(body))
        return data

    def program(self, offset, buf):
        self._ahead_from = -_AHEAD_BYTES
        at = self._pipe.body_at(len(buf) + 8)
        end = cosim.pack_flash_program(self._pipe.out, at, offset, buf)
        self._pipe.ask(cosim.MSG_FLASH_PROGRAM, end, cosim.MSG_FLASH_DATA)
        self._pulse.time_passed()

    def erase(self, offset):
        self._ahead_from = -_AHEAD_BYTES
        at = self._pipe.body_at(cosim.SIZE_FLASH_ERASE)
        end = cosim.pack_flash_erase(self._pipe.out, at, offset)
        self._pipe.ask(cosim.MSG_FLASH_ERASE, end, cosim.MSG_FLASH_DATA)
        self._pulse.time_passed()


class Panel:
    def __init__(self, pipe):
        self._pipe = pipe
        self._shown = (0, 0)

    def show(self, light, buzzer):
        if self._shown != (light, buzzer):
            self._shown = (light, buzzer)
            at = self._pipe.body_at(cosim.SIZE_PANEL)
            self._pipe.post(cosim.MSG_PANEL, cosim.pack_panel(self._pipe.out, at, light, buzzer))


class Machine:
    """See `gun.ports.Machine`."""

    def __init__(self):
        micropython.kbd_intr(-1)
        pipe = self._pipe = Pipe(sys.stdin.buffer, sys.stdout.buffer)
        body = pipe.ask(cosim.MSG_BOOT, pipe.body_at(0), cosim.MSG_BOOTED)
        board_id, self.reset_cause = cosim.unpack_booted(body, 0, len(body))
        self.board_id = bytes(board_id)
        self.clock_ms = 0
        self.inputs = 0
        self.force_raw = 0
        self.serial = Serial(pipe)
        self.pulse = Pulse(pipe, self)
        self.flash = Flash(pipe, self.pulse)
        self.panel = Panel(pipe)

    def wait(self, deadline_ms):
        pipe = self._pipe
        if deadline_ms >= _NEVER_MS:
            deadline_ms = cosim.FOREVER_MS
        end = cosim.pack_wait(pipe.out, pipe.body_at(cosim.SIZE_WAIT), deadline_ms)
        body = pipe.ask(cosim.MSG_WAIT, end, cosim.MSG_WAKE)
        wake = cosim.unpack_wake(body, 0, len(body))
        self.clock_ms, inputs, self.force_raw, supply_mv = wake[:4]
        supply_ok = board.SUPPLY_MIN_MV <= int(supply_mv) <= board.SUPPLY_MAX_MV
        self.inputs = int(inputs) | supply_ok * wire.INPUT_SUPPLY_OK
        self.pulse.take(*wake[4:9])
        self.serial.receive(wake[9])
