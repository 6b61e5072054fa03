"""A steady flow: by itself, under the trigger, and taken up again."""

import itertools
from dataclasses import replace

import pytest
from benches.bench import Bench
from health import read_records
from sessions import FLOW, follow, groups, listen, some, start, steps_of

from mesogun.gun import Gun
from mesogun_protocol.enums import ControllerState, EndReason, RecordKind, TriggerMode

DONE, RUNNING = ControllerState.DONE, ControllerState.RUNNING
HELD = replace(FLOW, trigger=TriggerMode.HOLD)


def test_a_flow_is_one_even_train(bench: Bench, gun: Gun) -> None:
    start(gun, replace(FLOW, dose_nl=100_000, inject_us=10_000_000))
    status = follow(gun, 15, DONE)
    assert (status.shots_done, status.delivered_steps) == (1, steps_of(100_000))
    edges = bench.edges_since(0)
    assert len(edges) == steps_of(100_000)
    gaps = [b.at_ns - a.at_ns for a, b in itertools.pairwise(edges)]
    assert max(gaps) - min(gaps) <= 3000
    assert edges[-1].at_ns - edges[0].at_ns == pytest.approx(10e9, rel=1e-3)


@pytest.mark.req("R13", "R30")
def test_a_held_flow_stops_and_goes_on_with_the_trigger(bench: Bench, gun: Gun) -> None:
    start(gun, HELD)
    listen(gun, 0.5)
    assert not bench.edges_since(0)
    pressed_ns = bench.now_ns()
    bench.press()
    listen(gun, 0.7)
    released_ns = bench.now_ns()
    bench.release()
    listen(gun, 1)
    assert not bench.edges_since(released_ns + 20_000_000)
    part = bench.steps().forward
    held_us = (released_ns - pressed_ns) / 1000
    assert part == pytest.approx(steps_of(20_000) * held_us / HELD.inject_us, abs=3)
    assert gun.status().delivered_steps == part
    bench.press()
    status = follow(gun, 5, DONE)
    assert (status.shots_done, status.delivered_steps) == (1, steps_of(20_000))
    results = [r.body for r in read_records(gun) if r.kind is RecordKind.SHOT_RESULT]
    assert [body["reason"] for body in results] == [EndReason.RELEASED, EndReason.COMPLETE]
    assert results[0]["forward_steps"] == part


def test_a_flow_that_is_let_go_many_times_is_whole_in_the_end(bench: Bench, gun: Gun) -> None:
    start(gun, replace(HELD, ramp_us=300_000))
    for _ in range(some(bench, 40)):
        bench.press()
        bench.run_for(0.07)
        bench.release()
        bench.run_for(0.06)
    bench.press()
    status = follow(gun, 5, DONE)
    assert status.delivered_steps == steps_of(20_000) == bench.steps().forward


def test_a_fast_flow_never_starts_faster_than_the_drive_can(bench: Bench, gun: Gun) -> None:
    # 10,500 steps/s at its peak; the drive starts with 4,000.
    start(gun, replace(HELD, dose_nl=600_000, inject_us=2_500_000, ramp_us=500_000))
    for held_s in (1.0, 0.55, 0.45, 0.06):
        bench.press()
        bench.run_for(held_s)
        bench.release()
        bench.run_for(0.2)
    bench.press()
    status = follow(gun, 5, DONE)
    assert status.delivered_steps == steps_of(600_000)
    for group in groups(bench.edges_since(0)):
        if len(group) > 1:
            assert group[1].at_ns - group[0].at_ns >= 1e9 / 4000 * 0.99


@pytest.mark.req("R30")
def test_a_flow_that_is_paused_goes_on_with_what_is_left(bench: Bench, gun: Gun) -> None:
    session_id = start(gun, FLOW)
    listen(gun, 0.5)
    gun.pause()
    paused_ns = bench.now_ns()
    status = follow(gun, 1, ControllerState.PAUSED)
    assert 0 < status.delivered_steps < steps_of(20_000)
    listen(gun, 1)
    assert not bench.edges_since(paused_ns + 1_000_000)
    gun.resume(session_id)
    status = follow(gun, 5, DONE)
    assert (status.shots_done, status.delivered_steps) == (1, steps_of(20_000))


def test_a_status_in_a_flow_tells_what_has_been_delivered(bench: Bench, gun: Gun) -> None:
    start(gun, FLOW)
    seen = []
    while gun.status().state is RUNNING:
        seen.append(gun.status().delivered_nl)
        gun.wait(0.3)
    assert seen == sorted(seen)
    assert len(seen) >= 6
    assert bench.steps().forward == steps_of(20_000)
