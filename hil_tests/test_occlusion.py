"""A blocked needle stops the gun soon and lets little out; an open one does not stop it."""

import random
from dataclasses import replace

import pytest
from benches.bench import Bench, BenchMaker
from health import Health, read_records
from sessions import FLOW, SHOT, arm_again, follow, listen

from mesogun.catalog import get_needle, get_syringe
from mesogun.gun import Gun, Status
from mesogun.link import Link
from mesogun.program.alarm import closed_pa, with_alarms
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState, Fault, RecordKind, TriggerMode

_WORKS = {
    "nappage": replace(SHOT, count=100, period_us=250_000, ramp_us=20_000),
    "papules": replace(
        SHOT, count=20, dose_nl=50_000, inject_us=500_000, period_us=1_500_000, ramp_us=50_000
    ),
    "flow": replace(FLOW, dose_nl=200_000, inject_us=20_000_000, ramp_us=50_000),
}
_SYRINGES = ("bd-plastipak-3", "bd-plastipak-5", "bd-plastipak-10")
_ENDS = (ControllerState.FAULT, ControllerState.DONE)
_REACTION_NL = 1_000
"""Pushed from the begin of a third shot, or after two seconds, until the gun has looked."""


def _start(bench: Bench, health: Health, syringe_id: str, needle_id: str, work: PlannedStep) -> Gun:
    syringe = get_syringe(syringe_id)
    step = with_alarms([work], syringe, get_needle(needle_id), 1.0, False)[0]
    gun = health.greet(Link(bench.connect()))
    pl_per_step = syringe.pl_per_step()
    gun.load_syringe(
        pl_per_step, syringe.usable_nl, step.limit_kpa, 1, closed_pa(syringe, pl_per_step)
    )
    gun.set_limits(step.count * step.dose_nl, step.dose_nl, step.count)
    gun.start(arm_again(gun, gun.upload([step])))
    return gun


def _blocked(bench: Bench, gun: Gun) -> tuple[Status, float]:
    """Close the needle, wait for the end; return it, and the time that it took in seconds."""
    began_ms = gun.status().clock_ms
    bench.occlude()
    status = follow(gun, 30, *_ENDS)
    told = [r.time_ms for r in read_records(gun) if r.kind is RecordKind.FAULT]
    return status, (told[0] - began_ms) / 1000 if told else float("inf")


@pytest.mark.req("R24", "R25")
@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(20))
def test_a_blocked_needle_stops_the_gun_and_little_comes_out_afterwards(
    make_bench: BenchMaker, seed: int
) -> None:
    """Twenty guns drawn within their tolerances."""
    draw = random.Random(seed)
    name = list(_WORKS)[seed % len(_WORKS)]
    work, syringe_id = _WORKS[name], draw.choice(_SYRINGES)
    bench = make_bench(syringe_id, draw.choice(["30g-4", "30g-13", "27g-13"]), seed=seed)
    health = Health(bench)
    health.faults = [Fault.OCCLUSION]
    gun = _start(bench, health, syringe_id, "30g-4", work)
    listen(gun, draw.uniform(1, 4))
    pl_per_step = get_syringe(syringe_id).pl_per_step()
    before = bench.steps().forward
    status, after_s = _blocked(bench, gun)
    pushed_nl = (bench.steps().forward - before) * pl_per_step / 1000
    assert status.fault is Fault.OCCLUSION
    assert not bench.driver_on()
    shots = pushed_nl <= 2 * work.dose_nl + _REACTION_NL and work.period_us
    assert after_s <= 2 or shots, f"after {after_s} s and {pushed_nl / work.dose_nl} doses"
    kept_nl = bench.delivered_nl()
    bench.clear_needle()
    bench.run_for(20)
    assert bench.delivered_nl() - kept_nl <= 100_000
    health.check()


@pytest.mark.req("R24")
def test_a_needle_that_is_blocked_between_two_presses_is_found(make_bench: BenchMaker) -> None:
    bench = make_bench("bd-plastipak-10", "30g-4")
    health = Health(bench)
    health.faults = [Fault.OCCLUSION]
    work = replace(_WORKS["nappage"], trigger=TriggerMode.PRESS)
    gun = _start(bench, health, "bd-plastipak-10", "30g-4", work)
    for shot in range(7):
        if shot == 4:
            bench.occlude()
        bench.press()
        listen(gun, 0.3)
        bench.release()
        listen(gun, 0.5)
    status = gun.status()
    assert status.fault is Fault.OCCLUSION
    assert status.shots_done <= 6
    health.check()


@pytest.mark.req("R24")
@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(20))
def test_an_open_needle_raises_no_alarm(make_bench: BenchMaker, seed: int) -> None:
    draw = random.Random(f"open {seed}")
    name, syringe_id = list(_WORKS)[seed % len(_WORKS)], draw.choice(_SYRINGES)
    needle_id = draw.choice(["30g-4", "30g-13", "27g-4", "27g-13", "32g-4"])
    bench = make_bench(syringe_id, needle_id, seed=seed)
    health = Health(bench)
    gun = _start(bench, health, syringe_id, needle_id, _WORKS[name])
    assert follow(gun, 120, *_ENDS).state is ControllerState.DONE
    health.check()


@pytest.mark.req("R25")
def test_the_record_tells_the_pressure_of_each_shot(bench: Bench, gun: Gun, health: Health) -> None:
    pressures = {}
    for needle in ("27g-13", "30g-4"):
        work = replace(_WORKS["nappage"], count=4)
        gun = _start(bench, health, "bd-plastipak-5", needle, work)
        follow(gun, 10, ControllerState.DONE)
        results = [r.body for r in read_records(gun) if r.kind is RecordKind.SHOT_RESULT]
        pressures[needle] = [body["pressure_kpa"] for body in results[-4:]]
    # The needle of the bench is one of 30G x 4 mm whatever the gun was told.
    assert all(30 < kpa < 110 for kpa in (*pressures["27g-13"], *pressures["30g-4"])), pressures
