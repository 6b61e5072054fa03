"""Auto, hold and press: who begins a shot, and what a hand that lets go ends."""

import itertools
from dataclasses import replace

import pytest
from benches.bench import Bench
from health import read_records
from sessions import SHOT, arm, follow, groups, listen, press, shots, some, start, steps_of, until

from mesogun.gun import Gun, Refused
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    ErrorCode,
    OnRelease,
    RecordKind,
    TriggerMode,
)

DONE, RUNNING = ControllerState.DONE, ControllerState.RUNNING
HOLD, PRESS = TriggerMode.HOLD, TriggerMode.PRESS


def _results(gun: Gun) -> list[EndReason]:
    return [
        record.body["reason"]
        for record in read_records(gun)
        if record.kind is RecordKind.SHOT_RESULT
    ]


def _press_until(bench: Bench, seconds: float) -> None:
    """Press, and let so much time pass since the first shot began; a gun takes a while to begin."""
    bench.press()
    until(bench, lambda: bench.steps().forward > 0, 0.05, look_s=0.0002)
    # The first of 350 steps in 100 ms comes after 0.3 ms.
    bench.run_for(seconds - 0.0005)


def test_auto_goes_by_itself_for_its_count(bench: Bench, gun: Gun) -> None:
    start(gun, shots(7))
    status = follow(gun, 5, DONE)
    assert (status.shots_done, status.step_shots_done, status.presses) == (7, 7, 0)
    assert len(list(groups(bench.edges_since(0)))) == 7


def test_a_duration_is_a_count_of_periods(bench: Bench, gun: Gun) -> None:
    count = some(bench, 40, 8)
    receipt_ms = count * 250
    start(gun, replace(SHOT, count=count, period_us=250_000))
    began_ns = bench.now_ns()
    follow(gun, 15, DONE)
    edges = bench.edges_since(began_ns)
    assert edges[-1].at_ns - edges[0].at_ns == pytest.approx((receipt_ms - 150) * 1e6, abs=2e6)


def test_hold_goes_on_as_long_as_the_trigger_is_held(bench: Bench, gun: Gun) -> None:
    start(gun, shots(10, HOLD))
    listen(gun, 1)
    assert not bench.edges_since(0)
    bench.press()
    listen(gun, 0.75)
    bench.release()
    listen(gun, 1)
    assert gun.status().shots_done == 4
    assert gun.status().state is RUNNING
    bench.press()
    follow(gun, 5, DONE)
    assert bench.steps().forward == steps_of(100_000)


@pytest.mark.req("R13")
@pytest.mark.parametrize("after_s", [0.003, 0.03, 0.05, 0.0999])
def test_a_shot_whose_trigger_is_released_is_finished(
    bench: Bench, gun: Gun, after_s: float
) -> None:
    start(gun, shots(5, HOLD))
    _press_until(bench, 0.2 + after_s)
    bench.release()
    bench.run_for(1)
    assert bench.steps().forward == steps_of(2 * 10_000)
    assert gun.status().shots_done == 2
    assert _results(gun).count(EndReason.COMPLETE) == 2


@pytest.mark.req("R13", "R30")
@pytest.mark.parametrize("after_s", [0.003, 0.03, 0.05, 0.0999])
def test_a_shot_is_cut_off_where_the_program_says_so(
    bench: Bench, gun: Gun, after_s: float
) -> None:
    start(gun, shots(3, HOLD, OnRelease.STOP))
    _press_until(bench, 0.2 + after_s)
    released_ns = bench.now_ns()
    bench.release()
    bench.run_for(1)
    late = bench.edges_since(released_ns + 20_000_000)
    assert not late
    cut = bench.steps().forward < steps_of(20_000)
    assert steps_of(10_000) < bench.steps().forward <= steps_of(20_000)
    # Within the 20 ms that it has to react, the gun may have made the rest of it.
    assert cut or after_s > 0.08
    assert (EndReason.RELEASED in _results(gun)) is cut
    # The third shot is a whole one; what was cut off is not made up for.
    bench.press()
    follow(gun, 3, DONE)
    third = list(groups(bench.edges_since(released_ns + 20_000_000)))
    assert [len(group) in (350, 351) for group in third] == [True]
    assert gun.status().shots_done == 3 - cut


@pytest.mark.sampled
@pytest.mark.req("R13")
@pytest.mark.parametrize("at_ms", range(100, 201, 7))
def test_a_release_in_the_rest_between_two_shots(bench: Bench, gun: Gun, at_ms: int) -> None:
    start(gun, shots(4, HOLD))
    bench.press()
    bench.run_for(0.2 + at_ms / 1000)
    released_ns = bench.now_ns()
    bench.release()
    bench.run_for(0.5)
    assert not bench.edges_since(released_ns + 120_000_000)
    made = gun.status().shots_done
    assert made in (2, 3)
    bench.press()
    status = follow(gun, 3, DONE)
    assert status.shots_done == 4
    assert bench.steps().forward == steps_of(40_000)


@pytest.mark.sampled
@pytest.mark.req("R04", "R13")
@pytest.mark.parametrize("pressed_us", [175_000, 190_000, *range(195_000, 202_000, 400)])
def test_a_press_that_comes_back_as_the_period_ends(
    bench: Bench, gun: Gun, pressed_us: int
) -> None:
    start(gun, shots(3, HOLD))
    bench.press()
    # Released in the rest, with the second shot queued: it is withdrawn and the rest goes on.
    bench.run_for(0.12)
    bench.release()
    bench.run_for(pressed_us / 1e6 - 0.12)
    bench.press()
    status = follow(gun, 3, DONE)
    assert status.shots_done == 3
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    assert all(b - a >= 100_000_000 for a, b in itertools.pairwise(first))


@pytest.mark.req("R21")
def test_one_press_is_one_shot(bench: Bench, gun: Gun) -> None:
    start(gun, shots(3, PRESS))
    for made in range(3):
        assert gun.status().shots_done == made
        press(bench)
        bench.run_for(0.5)
    assert gun.status().state is DONE


@pytest.mark.req("R21")
def test_a_press_during_a_shot_starts_no_other_one(bench: Bench, gun: Gun) -> None:
    start(gun, replace(shots(3, PRESS), dose_nl=50_000, inject_us=1_000_000, period_us=1_500_000))
    press(bench)
    press(bench)
    press(bench)
    bench.run_for(3)
    status = gun.status()
    assert (status.presses, status.shots_done, status.state) == (3, 1, RUNNING)


def test_a_press_during_a_pause_starts_no_shot(bench: Bench, gun: Gun) -> None:
    session_id = start(gun, shots(2, PRESS))
    gun.pause()
    follow(gun, 1, ControllerState.PAUSED)
    press(bench)
    gun.resume(session_id)
    bench.run_for(1)
    assert not bench.edges_since(0)
    press(bench)
    bench.run_for(0.3)
    assert gun.status().shots_done == 1


def test_a_session_is_not_started_under_a_held_trigger(bench: Bench, gun: Gun) -> None:
    session_id = arm(gun, shots(2, HOLD))
    bench.press()
    bench.run_for(0.1)
    with pytest.raises(Refused) as refused:
        gun.start(session_id)
    assert refused.value.code is ErrorCode.NOT_RELEASED
    bench.run_for(1)
    assert not bench.edges_since(0)


@pytest.mark.req("R04")
def test_a_frantic_trigger_makes_ten_shots_a_second_at_most(bench: Bench, gun: Gun) -> None:
    quick = replace(
        shots(60, HOLD, OnRelease.STOP), dose_nl=1_000, inject_us=20_000, period_us=100_000
    )
    start(gun, quick)
    presses = some(bench, 60)
    for _ in range(presses):
        bench.press()
        bench.run_for(0.051)
        bench.release()
        bench.run_for(0.052)
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    assert len(first) >= presses * 2 // 3
    assert all(b - a >= 100_000_000 for a, b in itertools.pairwise(first))


@pytest.mark.req("R04")
def test_frantic_presses_make_ten_shots_a_second_at_most(bench: Bench, gun: Gun) -> None:
    start(gun, replace(shots(60, PRESS), dose_nl=1_000, inject_us=20_000, period_us=100_000))
    presses = some(bench, 60)
    for _ in range(presses):
        bench.press()
        bench.run_for(0.0501)
        bench.release()
        bench.run_for(0.0501)
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    assert len(first) >= presses // 3
    assert all(b - a >= 100_000_000 for a, b in itertools.pairwise(first))
