"""A blocked needle stops the gun; an open one does not."""

from dataclasses import replace

import pytest
from benches.bench import Bench, BenchMaker
from health import Health
from sessions import FLOW, SHOT, arm_again, follow, listen, some

from mesogun.catalog import get_syringe
from mesogun.gun import Gun
from mesogun.link import Link
from mesogun.program.hydraulics import pressure_limit_kpa
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState, Fault

_STEPS = {
    "nappage": replace(SHOT, count=60, period_us=333_333, ramp_us=20_000),
    "papules": replace(
        SHOT, count=40, dose_nl=50_000, inject_us=500_000, period_us=1_000_000, ramp_us=50_000
    ),
    "flow": replace(FLOW, dose_nl=500_000, inject_us=5_000_000, ramp_us=50_000),
}


def _most_kpa(syringe_id: str) -> int:
    return int(pressure_limit_kpa(get_syringe(syringe_id)))


def _started(
    bench: Bench, health: Health, syringe_id: str, step: PlannedStep, limit_kpa: int
) -> Gun:
    gun = health.greet(Link(bench.connect()))
    syringe = get_syringe(syringe_id)
    volume_nl = step.count * step.dose_nl
    gun.load_syringe(syringe.pl_per_step(), 2_900_000, limit_kpa, 1)
    gun.set_limits(volume_nl, step.dose_nl, step.count)
    gun.start(arm_again(gun, gun.upload([step])))
    return gun


@pytest.mark.sampled
@pytest.mark.parametrize("syringe_id", ["bd-plastipak-3", "bd-plastipak-5", "bd-plastipak-10"])
@pytest.mark.parametrize("name", _STEPS)
def test_a_blocked_needle_ends_at_the_pressure_limit(
    make_bench: BenchMaker, syringe_id: str, name: str
) -> None:
    bench = make_bench(syringe_id, "30g-4")
    health = Health(bench)
    health.faults = [Fault.OCCLUSION]
    # Near the most that the drive can make StallGuard may be the first.
    limit_kpa = _most_kpa(syringe_id) * 3 // 4
    gun = _started(bench, health, syringe_id, _STEPS[name], limit_kpa)
    listen(gun, 1.2)
    bench.occlude()
    gone_nl = bench.delivered_nl()
    status = follow(gun, 10, ControllerState.FAULT, ControllerState.DONE)
    assert status.fault is Fault.OCCLUSION
    assert limit_kpa < status.fault_detail < 1.2 * limit_kpa
    assert not bench.driver_on()
    assert bench.delivered_nl() == pytest.approx(gone_nl)
    health.check()


@pytest.mark.sampled
@pytest.mark.parametrize("name", _STEPS)
@pytest.mark.parametrize("needle", ["30g-4", "27g-13", "32g-4"])
def test_an_open_needle_raises_no_alarm(make_bench: BenchMaker, name: str, needle: str) -> None:
    bench = make_bench("bd-plastipak-5", needle)
    health = Health(bench)
    step = replace(_STEPS[name], count=some(bench, _STEPS[name].count, 8))
    gun = _started(bench, health, "bd-plastipak-5", step, _most_kpa("bd-plastipak-5"))
    status = follow(gun, 60, ControllerState.FAULT, ControllerState.DONE)
    assert status.state is ControllerState.DONE
    health.check()
