"""STOP in every state: nothing moves after it, the driver is off, and it is in the record."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from benches.bench import Bench
from health import Health, read_records
from sessions import (
    FLOW,
    PAUSE,
    SHOT,
    arm,
    arm_again,
    follow,
    listen,
    load,
    press,
    shots,
    start,
    steps_of,
)

from mesogun.gun import Gun
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState as State
from mesogun_protocol.enums import EndReason, Fault, RecordKind, TriggerMode

RETRACTING = replace(SHOT, count=4, retract_nl=10_000, film_nl=5_000, film_every=1)
RETRACTING = replace(RETRACTING, period_us=600_000)
ADVANCING = replace(SHOT, count=4, retract_nl=5_000, stored_nl=7_000, period_us=300_000)


def _ready(gun: Gun) -> None:
    load(gun)
    gun.upload([SHOT])


def _paused(gun: Gun) -> None:
    start(gun, PAUSE)
    follow(gun, 1, State.PAUSED)


def _done(gun: Gun) -> None:
    start(gun, SHOT)
    follow(gun, 1, State.DONE)


def _prime_waits(gun: Gun) -> None:
    load(gun)
    gun.prime(10_000, 1_000_000)


def _primes(gun: Gun, bench: Bench) -> None:
    _prime_waits(gun)
    press(bench)


def _waits_for_a_press(gun: Gun) -> None:
    start(gun, shots(2, TriggerMode.PRESS))


_SETTINGS: dict[str, tuple[Callable[[Gun, Bench], object], State]] = {
    "unloaded": (lambda gun, bench: None, State.UNLOADED),
    "loaded": (lambda gun, bench: load(gun), State.LOADED),
    "ready": (lambda gun, bench: _ready(gun), State.READY),
    "armed": (lambda gun, bench: arm(gun, SHOT), State.READY),
    "waiting for a press": (lambda gun, bench: _waits_for_a_press(gun), State.DONE),
    "paused": (lambda gun, bench: _paused(gun), State.DONE),
    "done": (lambda gun, bench: _done(gun), State.DONE),
    "prime waits": (lambda gun, bench: _prime_waits(gun), State.LOADED),
    "priming": (_primes, State.LOADED),
}


@pytest.mark.parametrize("name", _SETTINGS)
def test_a_stop_is_confirmed_in_every_state(bench: Bench, gun: Gun, name: str) -> None:
    prepare, after = _SETTINGS[name]
    prepare(gun, bench)
    gun.stop()
    stopped_ns = bench.now_ns()
    assert not bench.driver_on()
    assert gun.status().state is after
    press(bench)
    listen(gun, 1)
    gun.stop()
    assert not bench.edges_since(stopped_ns)
    assert gun.status().state is after


@pytest.mark.req("R16")
def test_a_stop_does_not_clear_a_fault(bench: Bench, gun: Gun, health: Health) -> None:
    health.faults = [Fault.INTERLOCK_OPEN]
    arm(gun, SHOT)
    bench.open_interlock()
    bench.run_for(0.01)
    bench.close_interlock()
    gun.stop()
    assert gun.status().state is State.FAULT


@pytest.mark.sampled
@pytest.mark.req("R11", "R30")
@pytest.mark.parametrize(
    "step",
    [shots(4), FLOW, RETRACTING, ADVANCING],
    ids=["shots", "flow", "retracting", "advancing"],
)
@pytest.mark.parametrize(
    "at_ms", [0, 1, 4, 50, 98, 101, 104, 107, 130, 180, 197, 199, 201, 230, 450, 595, 602, 640]
)
def test_a_stop_ends_motion_wherever_it_is(
    bench: Bench, gun: Gun, step: PlannedStep, at_ms: int
) -> None:
    start(gun, step)
    bench.run_for(at_ms / 1000)
    gun.stop()
    stopped_ns = bench.now_ns()
    gone_nl = bench.delivered_nl()
    listen(gun, 1)
    assert not bench.edges_since(stopped_ns)
    assert bench.delivered_nl() - gone_nl < 10_000
    status = gun.status()
    records = read_records(gun)
    ends = [r.body for r in records if r.kind is RecordKind.SESSION_END]
    assert [body["reason"] for body in ends] == [EndReason.STOPPED]
    intents = [r.body["shot"] for r in records if r.kind is RecordKind.SHOT_INTENT]
    results = [r.body["shot"] for r in records if r.kind is RecordKind.SHOT_RESULT]
    assert sorted(results) == intents
    assert status.delivered_steps == ends[0]["delivered_steps"]


@pytest.mark.sampled
@pytest.mark.req("R12")
@pytest.mark.parametrize(
    ("step", "at_ms"),
    [
        *((RETRACTING, at_ms) for at_ms in (*range(15, 200, 13), 600, 604, 608, 615, 640)),
        *((ADVANCING, at_ms) for at_ms in (*range(5, 150, 9), *range(300, 345, 5))),
    ],
)
def test_what_was_pulled_back_is_what_is_taken_up(
    bench: Bench, gun: Gun, step: PlannedStep, at_ms: int
) -> None:
    """Wherever a run is cut, the next one begins where the plunger really is."""
    start(gun, step)
    bench.run_for(at_ms / 1000)
    gun.stop()
    before = bench.steps()
    delivered = gun.status().delivered_steps
    ahead = before.forward - before.backward
    receipt = gun.upload([shots(1)])
    gun.start(arm_again(gun, receipt))
    follow(gun, 2, State.DONE)
    # What had been delivered and the one more shot: all else was taken up exactly.
    after = bench.steps()
    assert after.forward - after.backward - ahead >= 350
    assert after.forward - after.backward == delivered + gun.status().delivered_steps


def test_a_stopped_session_is_run_again_from_its_first_shot(bench: Bench, gun: Gun) -> None:
    load(gun)
    receipt = gun.upload([shots(3)])
    gun.start(arm_again(gun, receipt))
    bench.run_for(0.25)
    gun.stop()
    done = bench.steps().forward
    assert steps_of(10_000) < done < steps_of(20_000)
    gun.start(arm_again(gun, receipt))
    status = follow(gun, 3, State.DONE)
    assert status.shots_done == 3
    assert bench.steps().forward - done == pytest.approx(steps_of(30_000), abs=1)
