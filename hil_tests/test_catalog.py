"""Every technique and every treatment of the catalog, from its name to the last drop."""

import pytest
from benches.bench import Bench, BenchMaker
from health import Health
from sessions import arm_again, shortened

from mesogun.catalog import get_syringe, techniques, treatments
from mesogun.gun import Gun, Status
from mesogun.link import Link
from mesogun.program import compile_steps, resolve
from mesogun.program.alarm import closed_pa
from mesogun.program.hydraulics import pressure_limit_kpa
from mesogun_protocol.enums import ControllerState, TriggerMode


def _work_the_trigger(gun: Gun, bench: Bench, trigger: TriggerMode, most_s: float) -> Status:
    """Do what the program asks of a hand until the session is over."""
    deadline_ns = bench.now_ns() + round(most_s * 1e9)
    while bench.now_ns() < deadline_ns:
        status = gun.status()
        if status.state is not ControllerState.RUNNING:
            bench.release()
            return status
        if trigger is TriggerMode.HOLD:
            bench.press()
        elif trigger is TriggerMode.PRESS:
            bench.press()
            bench.run_for(0.1)
            bench.release()
            bench.run_for(0.1)
        gun.wait(1.0)
    raise AssertionError(f"not over after {most_s} s")


@pytest.mark.req("R10")
@pytest.mark.parametrize("name", [*techniques(), *treatments()])
def test_a_program_of_the_catalog_is_delivered(make_bench: BenchMaker, name: str) -> None:
    program = resolve(name)
    syringe = get_syringe(program.syringe)
    planned = compile_steps(program, syringe)
    one_point = planned[0].trigger is TriggerMode.AUTO
    bench = make_bench(program.syringe, program.needle, one_point)
    steps = [shortened(bench, step) for step in planned]
    health = Health(bench)
    gun = health.greet(Link(bench.connect()))

    pl_per_step = syringe.pl_per_step(gun.info.lead_nm, gun.info.steps_per_turn)
    limit_kpa = int(pressure_limit_kpa(syringe))
    volume_nl = sum(step.count * step.dose_nl for step in steps)
    gun.load_syringe(
        pl_per_step, round(volume_nl * 1.05), limit_kpa, 1, closed_pa(syringe, pl_per_step)
    )
    gun.set_limits(volume_nl, steps[0].dose_nl, sum(step.count for step in steps))
    receipt = gun.upload(steps)
    gun.start(arm_again(gun, receipt))
    most_s = 10 + sum(step.count * (step.period_us + step.inject_us) for step in steps) * 2e-6
    status = _work_the_trigger(gun, bench, steps[0].trigger, most_s)

    assert status.state is ControllerState.DONE
    assert status.shots_done == receipt.shots == status.shots_planned
    made = bench.steps()
    assert status.delivered_steps == receipt.steps
    # What is pushed ahead of a dose is pulled back behind it; the last pull is not made up for.
    last_pull = receipt.steps - (made.forward - made.backward)
    assert 0 <= last_pull <= made.backward / receipt.shots
    assert status.delivered_nl == pytest.approx(volume_nl, abs=pl_per_step / 1000)
    bench.run_for(5)
    # 3.4 % of it is the syringe's bore, which the gun was told nothing of. Of the first shot 15 %
    # may stay in the syringe, whose compliance it fills (R06).
    most_off_nl = 0.036 * volume_nl + 0.15 * max(step.dose_nl for step in steps)
    assert bench.delivered_nl() == pytest.approx(volume_nl, abs=most_off_nl)
    health.check()
