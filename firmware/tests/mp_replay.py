"""Ten thousand doses over a cable that doubles, holds up and replays a fifth of all frames."""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import random
from array import array
from struct import pack

import mark
from mp_session import Machine, Stop, framed, frames_of_a_run
from simflash import SimFlash

from gun import wire
from gun.app import App

_COMMANDS = 10000
_MEMORY = 64  # frames that can be replayed


class Cable:
    """Hands frames to the gun, a fifth of them disturbed."""

    def __init__(self, machine):
        self._machine = machine
        self._recorded = []
        self._late = []
        self.passed = self.disturbed = 0

    def send(self, frame):
        script = self._machine.script
        self.passed += 1
        choice = random.getrandbits(8) if random.getrandbits(8) < 51 else 256
        if choice < 256:
            self.disturbed += 1
        if 128 <= choice < 192:
            self._late.append(frame)
        else:
            script.append(frame)
        if choice < 64:
            script.append(frame)
        elif choice < 128 and self._recorded:
            script.append(random.choice(self._recorded))
        elif 192 <= choice < 256:
            at = random.getrandbits(8) % len(frame)
            script += [frame[:at], frame[at:], frame]
        if self._late and random.getrandbits(2) == 0:
            script.append(self._late.pop(0))
        self._recorded.append(frame)
        if len(self._recorded) > _MEMORY:
            self._recorded[random.getrandbits(6)] = self._recorded.pop()


def _live(app, machine):
    machine.end_ms = machine.clock_ms + len(machine.script) + 1
    try:
        app.run()
    except Stop:
        pass


@mark.req("R32")
def test_no_dose_of_ten_thousand_is_given_twice():
    random.seed(32)
    machine = Machine()
    machine.flash = SimFlash()
    app = App(machine)
    controller = app._controller
    machine.script = frames_of_a_run()[:-2]
    number = 99 + len(machine.script)
    _live(app, machine)
    assert controller.state == wire.STATE_READY

    started = array("H", [0] * (_COMMANDS + 1))
    start = controller.start

    def counted(session_id):
        start(session_id)
        started[session_id] += 1

    controller.start = counted
    cable = Cable(machine)
    for session_id in range(1, _COMMANDS + 1):
        for message, body in (
            (wire.MSG_ARM, pack("<II", session_id, controller.program_crc)),
            (wire.MSG_START, pack("<I", session_id)),
            (wire.MSG_STOP, b""),
        ):
            number = number % 0xFFFF + 1
            cable.send(framed(message, number, body))
            _live(app, machine)
        if session_id % 100 == 0:
            _make_room(app, controller.journal)
    assert max(started) == 1
    # The test is worth something only if most were given, and a fifth was disturbed.
    assert sum(started) > _COMMANDS * 7 // 10, sum(started)
    assert cable.disturbed > cable.passed * 18 // 100


def _make_room(app, journal):
    """Let the idle gun forget what it has recorded."""
    app._controller.stop()
    journal.acknowledge(journal.next, 0)
    while journal.maintain():
        pass
