"""Frames that come twice, late or from a recording never cause a second dose (R32)."""

import random
from datetime import datetime

import pytest
from benches.bench import Bench, Steps
from health import Health
from raw import RawHost, pack
from sessions import PAUSE, SHOT, arm, arm_again, follow, listen, load, press, shots, some

from mesogun.gun import Gun
from mesogun.link import Link, Transport
from mesogun_protocol import messages
from mesogun_protocol.enums import ControllerState
from mesogun_protocol.frame import Frame, encode_frame

_SESSIONS = 80


class RepeatingCable:
    """Sends a fifth of the frames twice, late, or out of a recording of all that went before."""

    name = "repeating"

    def __init__(self, cable: Transport, dice: random.Random) -> None:
        self._cable = cable
        self._dice = dice
        self._recording: list[bytes] = []
        self._late: list[bytes] = []
        self.disturbed = 0

    def write(self, data: bytes) -> None:
        self._recording.append(data)
        self._cable.write(data)
        for late in self._late:
            self._cable.write(late)
        self._late = []
        if self._dice.random() < 0.2:
            self.disturbed += 1
            choice = self._dice.random()
            if choice < 0.4:
                self._cable.write(data)
            elif choice < 0.6:
                self._late.append(data)
            else:
                at = self._dice.randrange(len(self._recording))
                for old in self._recording[at : at + 14]:
                    self._cable.write(old)

    def read(self, timeout_s: float) -> bytes:
        return self._cable.read(timeout_s)

    def monotonic_s(self) -> float:
        return self._cable.monotonic_s()

    def wall_clock(self) -> datetime:
        return self._cable.wall_clock()

    def close(self) -> None:
        self._cable.close()


@pytest.mark.sampled
@pytest.mark.req("R32")
@pytest.mark.parametrize("seed", range(3))
def test_a_fifth_of_the_frames_disturbed(bench: Bench, health: Health, seed: int) -> None:
    health.resends = True
    cable = RepeatingCable(bench.connect(), random.Random(f"replay {seed}"))
    gun = health.greet(Link(cable))
    load(gun)
    sessions = some(bench, _SESSIONS)
    for _ in range(sessions):
        receipt = gun.upload([SHOT])
        gun.start(arm_again(gun, receipt))
        follow(gun, 2, ControllerState.DONE)
    listen(gun, 3)
    assert cable.disturbed > 1.25 * sessions
    assert gun.status().total_forward_steps == bench.steps().forward
    assert bench.steps().forward == pytest.approx(sessions * 350.16, abs=1)


@pytest.mark.req("R32")
def test_a_recorded_session_starts_nothing(bench: Bench, gun: Gun) -> None:
    load(gun)
    receipt = gun.upload([SHOT])
    raw = RawHost(bench.connect())
    requests = [
        (messages.ARM, pack(messages.ARM, (77, receipt.program_crc))),
        (messages.START, pack(messages.START, (77,))),
    ]
    recording = [raw.frame(message.id, body) for message, body in requests]
    for frame in recording:
        raw.transport.write(frame)
    bench.run_for(0.5)
    once = bench.steps()
    assert once == Steps(350, 0)
    # The same bytes again, at once and after many other requests.
    for _ in range(2):
        for frame in recording:
            raw.transport.write(frame)
        bench.run_for(0.5)
        for _ in range(20):
            assert raw.ask(messages.PING.id, b"\0\0\0\0") is not None
    # And in a conversation of its own, with numbers that are new.
    again = RawHost(bench.connect())
    again.number = 30_000
    for message, body in requests:
        again.ask(message.id, body)
    bench.run_for(0.5)
    assert bench.steps() == once


@pytest.mark.req("R32")
def test_a_prime_that_comes_twice_is_one_prime(bench: Bench, gun: Gun) -> None:
    load(gun)
    raw = RawHost(bench.connect())
    frame = raw.frame(messages.PRIME.id, pack(messages.PRIME, (10_000, 200_000)))
    raw.transport.write(frame + frame)
    bench.run_for(0.1)
    press(bench)
    bench.run_for(0.5)
    raw.transport.write(frame)
    bench.run_for(0.1)
    press(bench)
    bench.run_for(0.5)
    assert bench.steps() == Steps(350, 0)


@pytest.mark.req("R32")
def test_a_resume_that_comes_late_ends_no_later_pause(bench: Bench, gun: Gun) -> None:
    session_id = arm(gun, shots(1), PAUSE, shots(1), PAUSE, shots(1))
    raw = RawHost(bench.connect())
    raw.ask(messages.START.id, pack(messages.START, (session_id,)))
    bench.run_for(0.5)
    resume = raw.frame(messages.RESUME.id, pack(messages.RESUME, (session_id,)))
    raw.transport.write(resume)
    bench.run_for(0.5)
    made = bench.steps()
    for _ in range(12):
        raw.ask(messages.PING.id, b"\0\0\0\0")
    raw.transport.write(resume)
    bench.run_for(0.5)
    assert bench.steps() == made


def test_several_frames_at_once_are_all_answered(bench: Bench, gun: Gun) -> None:
    load(gun)
    raw = RawHost(bench.connect())
    frames = [
        raw.frame(messages.READ_RECORDS.id, pack(messages.READ_RECORDS, (1, 15))),
        raw.frame(messages.SET_LIMITS.id, pack(messages.SET_LIMITS, (1, 2, 3))),
        raw.frame(messages.GET_LIMITS.id, b""),
        raw.frame(messages.READ_CONFIG.id, pack(messages.READ_CONFIG, (2,))),
        raw.frame(messages.GET_LIMITS.id, b""),
    ]
    raw.transport.write(b"".join(frames))
    reply = raw.answer()
    assert reply is not None
    assert messages.LIMITS_REPLY.parse(reply.body) == {"session_nl": 1, "shot_nl": 2, "shots": 3}


@pytest.mark.usefixtures("gun")
def test_bytes_between_frames_do_no_harm(bench: Bench) -> None:
    raw = RawHost(bench.connect())
    good = raw.frame(messages.PING.id, b"\1\2\3\4")
    half = encode_frame(Frame(messages.STOP.id, 1, b""))[:3]
    raw.transport.write(half + good)
    reply = raw.answer()
    assert reply is not None
    assert messages.PING_REPLY.parse(reply.body)["token"] == 0x04030201
