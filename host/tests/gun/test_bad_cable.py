"""A fifth of all frames lost, doubled, damaged, cut, late or replayed: no dose twice or denied."""

import random
from collections import Counter
from enum import Enum

import pytest

from mesogun.errors import LinkError
from mesogun.gun import DoseUncertain, Refused
from mesogun_protocol.enums import ControllerState
from mesogun_protocol.frame import FrameReader
from mesogun_protocol.messages import PRIME, RESUME, START
from tests.fake_session import PAUSE, Step, loaded

COMMANDS = 10_000
SHARE = 0.2
MOVING = (ControllerState.ARMED, ControllerState.RUNNING, ControllerState.PAUSED)


class BadCable:
    """Disturbs a share of the pieces, and replays what it has recorded on the way to the gun."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.recorded: list[bytes] = []
        self.disturbed = self.passed = 0

    def to_gun(self, data: bytes) -> list[tuple[int, bytes]]:
        self.recorded.append(data)
        return self._disturb(data, self.random.choice(self.recorded))

    def to_host(self, data: bytes) -> list[tuple[int, bytes]]:
        return self._disturb(data, data)

    def _disturb(self, data: bytes, old: bytes) -> list[tuple[int, bytes]]:
        self.passed += 1
        if self.random.random() >= SHARE:
            return [(0, data)]
        self.disturbed += 1
        late_us = self.random.choice((500, 350_000, 1_500_000, 4_000_000))
        at = self.random.randrange(len(data))
        damaged = data[:at] + bytes([data[at] ^ self.random.randrange(1, 256)]) + data[at + 1 :]
        return self.random.choice(
            (
                [],
                [(late_us, data)],
                [(0, data), (0, data)],
                [(0, data), (late_us, data)],
                [(0, data), (late_us, old)],
                [(0, old), (0, data)],
                [(0, damaged)],
                [(0, data[:at]), (200, data[at:])],
            )
        )


class Outcome(Enum):
    """How often a dose command may have been carried out."""

    DENIED = (0,)
    DONE = (1,)
    TAKEN_AS_DONE = (0, 1)


class Operator:
    """Gives commands at random, and keeps what became of each dose command by its number."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.gun, self.cable, self.device = loaded()
        self.crc = self.gun.upload([Step(count=2), PAUSE, Step(count=2)]).program_crc
        self.session_id = 0
        self.outcomes: dict[int, Outcome] = {}
        self.uncertain = self.failed = self.refused = 0
        self.commands = [
            self.gun.status,
            self.gun.pause,
            self.gun.disarm,
            self.stop,
            self.stop,
            self.arm,
            self.arm,
            self.arm,
            self.prime,
            self.resume,
            self.resume,
            self.start,
            self.start,
            self.start,
            lambda: self.gun.clear_fault(self.gun.status().fault),
            lambda: self.gun.wait(0.3),
            lambda: self.device.press(self.cable.gun_ms()),
        ]

    def give(self) -> None:
        try:
            self.random.choice(self.commands)()
        except Refused:
            self.refused += 1
        except LinkError:
            self.failed += 1

    def arm(self) -> None:
        self.session_id += 1
        self.gun.arm(self.session_id, self.crc)

    def stop(self) -> None:
        self.gun.stop()
        assert self.device.state not in MOVING

    def start(self) -> None:
        self.dose(START.id, lambda: self.gun.start(self.session_id))

    def resume(self) -> None:
        self.dose(RESUME.id, lambda: self.gun.resume(self.session_id))

    def prime(self) -> None:
        self.dose(PRIME.id, lambda: self.gun.prime(10_000, 100_000))

    def dose(self, message: int, command) -> None:
        written = len(self.cable.sent)
        primed_steps = self.device.primed_steps
        outcome = Outcome.DENIED
        try:
            command()
            outcome = Outcome.DONE
        except DoseUncertain:
            self.uncertain += 1
            taken_as_done = self.settle()
            if message == PRIME.id:  # the question is whether it moved: it may have been withdrawn
                assert taken_as_done == (self.device.primed_steps != primed_steps)
                taken_as_done = True
            outcome = Outcome.TAKEN_AS_DONE if taken_as_done else Outcome.DENIED
        finally:
            frames = [f for data in self.cable.sent[written:] for f in FrameReader().feed(data)]
            numbers = [frame.request for frame in frames if frame.message == message]
            assert len(numbers) <= 1  # never sent again
            self.outcomes |= dict.fromkeys(numbers, outcome)

    def settle(self) -> bool:
        while True:
            try:
                return self.gun.resolve()
            except LinkError:
                self.failed += 1


@pytest.mark.req("R32", "R33")
@pytest.mark.parametrize("seed", range(4))
def test_no_dose_is_given_twice_and_none_that_was_denied(seed):
    operator = Operator(seed)
    bad = BadCable(seed)
    operator.cable.to_gun, operator.cable.to_host = bad.to_gun, bad.to_host
    operator.device.executed.clear()
    for _ in range(COMMANDS // 4):
        operator.give()
    operator.cable.read(10)

    executed = Counter(
        number
        for name, number in operator.device.executed
        if name in (START.name, RESUME.name, PRIME.name)
    )
    assert set(executed.values()) == {1}
    assert executed.keys() <= operator.outcomes.keys()
    for number, outcome in operator.outcomes.items():
        assert executed[number] in outcome.value
    # The test is worth something only if all of this happened, and often.
    assert bad.disturbed > SHARE * 0.9 * bad.passed
    happened = Counter(operator.outcomes.values())
    assert min(happened[outcome] for outcome in Outcome) > 20
    assert min(operator.uncertain, operator.refused) > 50
