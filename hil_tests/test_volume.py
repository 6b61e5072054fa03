"""What is left in the syringe, and what a session may take of it."""

from dataclasses import replace

import pytest
from benches.bench import Bench, Steps
from sessions import FLOW, SHOT, arm, arm_again, follow, load, shots, start, steps_of

from mesogun.gun import Gun, Refused
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState, ErrorCode, EventKind

DONE = ControllerState.DONE


@pytest.mark.req("R10", "R27")
def test_what_is_left_follows_the_witness(bench: Bench, gun: Gun) -> None:
    start(gun, replace(shots(5), retract_nl=2_000, period_us=300_000))
    follow(gun, 3, DONE)
    made = bench.steps()
    left_nl = 4_000_000 - (made.forward - made.backward) * 28_558 // 1000
    assert gun.status().remaining_nl == left_nl


@pytest.mark.req("R27")
def test_a_program_larger_than_what_is_left_is_refused(bench: Bench, gun: Gun) -> None:
    load(gun, fill_nl=100_000)
    receipt = gun.upload([shots(6)])
    gun.start(arm_again(gun, receipt))
    follow(gun, 3, DONE)
    made = bench.steps()
    with pytest.raises(Refused) as refused:
        arm_again(gun, receipt)
    assert refused.value.code is ErrorCode.OVER_REMAINING
    with pytest.raises(Refused) as refused:
        gun.upload([shots(5)])
    assert refused.value.code is ErrorCode.OVER_REMAINING
    with pytest.raises(Refused) as refused:
        gun.prime(50_000, 1_000_000)
    assert refused.value.code is ErrorCode.OVER_REMAINING
    assert bench.steps() == made
    assert not bench.driver_on()


@pytest.mark.req("R27")
@pytest.mark.parametrize(
    ("steps", "fill_nl", "low_nl"),
    [
        (replace(FLOW, dose_nl=300_000, inject_us=6_700_000), 320_000, 32_000),
        (replace(SHOT, count=40, dose_nl=10_000), 420_000, 100_000),
    ],
    ids=["10 percent", "10 shots"],
)
def test_a_low_syringe_is_announced_once(
    gun: Gun, steps: PlannedStep, fill_nl: int, low_nl: int
) -> None:
    gun.start(arm(gun, steps, fill_nl=fill_nl))
    told = []
    while gun.status().state is ControllerState.RUNNING:
        told += [event.a for event in gun.wait(0.2) if event.kind is EventKind.LOW_VOLUME]
    assert len(told) == 1
    assert low_nl - 12_000 < told[0] < low_nl


@pytest.mark.req("R04")
def test_a_session_has_its_cap(bench: Bench, gun: Gun) -> None:
    load(gun)
    gun.set_limits(59_999, 10_000, 1000)
    with pytest.raises(Refused) as refused:
        gun.upload([shots(6)])
    assert refused.value.code is ErrorCode.OVER_LIMIT
    gun.set_limits(60_000, 10_000, 6)
    gun.start(arm_again(gun, gun.upload([shots(6)])))
    follow(gun, 3, DONE)
    assert bench.steps() == Steps(steps_of(60_000), 0)
