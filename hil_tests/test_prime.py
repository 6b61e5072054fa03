"""Priming: two actions, a bound, and an account of its own."""

from dataclasses import replace

import pytest
from benches.bench import Bench, Steps
from health import Health, read_records
from sessions import PRIME, arm, follow, listen, load, press, shots, start, steps_of

from mesogun.gun import Gun, Refused
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, RecordKind, StepKind
from mesogun_protocol.limits import PRIME_MAX_NL

DONE, LOADED = ControllerState.DONE, ControllerState.LOADED


@pytest.mark.req("R29")
def test_a_prime_takes_a_request_and_a_press(bench: Bench, gun: Gun) -> None:
    load(gun)
    press(bench)
    gun.prime(50_000, 500_000)
    listen(gun, 5)
    assert bench.steps() == Steps(0, 0)
    assert not bench.driver_on()
    press(bench)
    listen(gun, 1)
    status = gun.status()
    assert status.primed_steps == steps_of(50_000) == bench.steps().forward
    assert (status.delivered_steps, status.shots_done, status.state) == (0, 0, LOADED)
    assert not bench.driver_on()
    # Another press is no second one.
    press(bench)
    listen(gun, 1)
    assert bench.steps().forward == steps_of(50_000)


@pytest.mark.req("R29")
def test_a_prime_whose_press_does_not_come_is_forgotten(bench: Bench, gun: Gun) -> None:
    load(gun)
    gun.prime(50_000, 500_000)
    listen(gun, 29.9)
    with pytest.raises(Refused):
        gun.prime(50_000, 500_000)
    listen(gun, 0.2)
    press(bench)
    listen(gun, 1)
    assert bench.steps() == Steps(0, 0)


@pytest.mark.req("R29")
def test_a_prime_is_counted_apart_from_doses(bench: Bench, gun: Gun) -> None:
    start(gun, shots(3), PRIME, shots(2))
    listen(gun, 2)
    status = gun.status()
    assert (status.step_kind, status.shots_done) == (StepKind.PRIME, 3)
    press(bench)
    status = follow(gun, 3, DONE)
    assert status.shots_done == status.shots_planned == 5
    assert status.delivered_steps + status.primed_steps == steps_of(60_000)
    assert status.primed_steps in (350, 351)
    load_nl = status.remaining_nl
    gun.prime(20_000, 500_000)
    press(bench)
    listen(gun, 1)
    after = gun.status()
    assert (after.state, after.delivered_steps) == (DONE, status.delivered_steps)
    assert after.primed_steps - status.primed_steps in (700, 701)
    assert load_nl - after.remaining_nl == pytest.approx(20_000, abs=30)


@pytest.mark.req("R01", "R29")
@pytest.mark.parametrize(
    ("limit_nl", "fill_nl", "dose_nl", "inject_us", "code"),
    [
        (0, 4_000_000, 10_000, 500_000, ErrorCode.NO_LIMITS),
        (9_999, 4_000_000, 10_000, 500_000, ErrorCode.OVER_LIMIT),
        (2_000_000, 900_000, PRIME_MAX_NL, 10_000_000, ErrorCode.OVER_REMAINING),
        (2_000_000, 4_000_000, PRIME_MAX_NL, 5_000_000, ErrorCode.TOO_FAST),
    ],
)
def test_a_prime_that_is_too_much_is_refused(
    bench: Bench,
    gun: Gun,
    limit_nl: int,
    fill_nl: int,
    dose_nl: int,
    inject_us: int,
    code: ErrorCode,
) -> None:
    load(gun, fill_nl)
    gun.set_limits(4_000_000, limit_nl, 100)
    with pytest.raises(Refused) as refused:
        gun.prime(dose_nl, inject_us)
    assert refused.value.code is code
    press(bench)
    listen(gun, 1)
    assert bench.steps() == Steps(0, 0)


@pytest.mark.req("R28", "R29")
@pytest.mark.parametrize("act", ["open_interlock", "remove_syringe", "fail_supply"])
def test_a_prime_that_waits_is_withdrawn_when_something_is_wrong(
    bench: Bench, gun: Gun, act: str
) -> None:
    load(gun)
    gun.prime(50_000, 500_000)
    getattr(bench, act)()
    press(bench)
    listen(gun, 1)
    bench.close_interlock()
    bench.seat_syringe()
    bench.restore_supply()
    press(bench)
    listen(gun, 1)
    assert bench.steps() == Steps(0, 0)
    assert gun.status().state is LOADED


@pytest.mark.req("R15", "R29")
def test_a_prime_ends_with_the_syringe_out(bench: Bench, gun: Gun, health: Health) -> None:
    health.faults = [Fault.SYRINGE_REMOVED]
    load(gun)
    gun.prime(50_000, 500_000)
    press(bench)
    bench.remove_syringe()
    removed_ns = bench.now_ns()
    bench.run_for(1)
    assert not bench.edges_since(removed_ns + 5_000_000)
    assert 0 < bench.steps().forward < steps_of(50_000)
    assert gun.status().state is ControllerState.FAULT


def test_nothing_else_begins_while_a_prime_waits(bench: Bench, gun: Gun) -> None:
    session_id = arm(gun, shots(1))
    gun.disarm()
    gun.prime(10_000, 200_000)
    with pytest.raises(Refused):
        gun.set_limits(0, 0, 0)
    with pytest.raises(Refused):
        load(gun)
    with pytest.raises(Refused):
        gun.arm(session_id + 1, gun.status().program_crc)
    gun.stop()
    gun.arm(session_id + 1, gun.status().program_crc)
    press(bench)
    assert bench.steps() == Steps(0, 0)


def test_a_prime_takes_up_what_was_pulled_back(bench: Bench, gun: Gun) -> None:
    start(gun, replace(shots(1), retract_nl=2_000, period_us=400_000))
    follow(gun, 3, DONE)
    gun.prime(10_000, 500_000)
    press(bench)
    listen(gun, 1)
    back = steps_of(2_000)
    assert bench.steps() == Steps(steps_of(20_000) + back, back)
    primes = [
        r.body
        for r in read_records(gun)
        if r.kind is RecordKind.SHOT_INTENT and r.body["purpose"] is StepKind.PRIME
    ]
    assert [body["advance_steps"] for body in primes] == [back]
