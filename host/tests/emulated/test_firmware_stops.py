"""What ends motion on the real firmware: interlock and budget without it, a stop through it."""

import random
from dataclasses import replace

import pytest

from mesogun.emulated.copies import in_copy
from mesogun.gun import Refused
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault
from mesogun_protocol.pulse import TICK_NS
from tests.emulated.firmware_gun import MS, SHOT, SHOT_STEPS, FirmwareGun, Hook

INSTANTS = 200
#: Ramped, pulled back and with a rest: every kind of segment there is.
RETRACTING = replace(
    SHOT, count=2, inject_us=150_000, period_us=260_000, ramp_us=20_000, retract_nl=5_000
)
RETRACTED_STEPS = 200
STUCK_MS = 25


def stuck_in_a_shot(gun: FirmwareGun) -> int:
    """Start a shot and hang the interpreter in it; return the time of the first step."""
    begin_ns = gun.start(RETRACTING)
    gun.pull(Hook.SPIN)
    gun.run_to(begin_ns + STUCK_MS * MS)
    assert gun.is_hung
    return begin_ns


@pytest.mark.req("R14", "R16")
def test_an_open_interlock_needs_no_interpreter(firmware_gun: FirmwareGun) -> None:
    """At 200 random instants of a period: the shot, its turn, its retraction and its rest."""
    draw = random.Random(3)

    def open_and_look(gun: FirmwareGun, number: int) -> tuple[int, int]:
        opened_ns = gun.world.now_ns
        before = gun.witnessed()
        made = len(gun.world.steps)
        gun.world.panel.interlock_closed = False
        gun.run(3)
        late = gun.steps_since(opened_ns)
        # An item that has begun makes its edge in the tick that follows; each item looks first.
        assert all(ns <= opened_ns + 2 * TICK_NS for ns in late)
        assert len(late) <= 1
        forward, backward = gun.witnessed()
        steps = gun.world.steps[made:]
        assert forward - before[0] == sum(step.forward for step in steps)
        assert backward - before[1] == sum(not step.forward for step in steps)
        if number % 20 == 0:
            closed_again(gun)
        return gun.witnessed()

    def closed_again(gun: FirmwareGun) -> None:
        """Nothing moves until somebody has done two things (R16).

        The interpreter has seen nothing of those 3 ms: hardware tells it.
        """
        made = len(gun.world.steps)
        gun.world.panel.interlock_closed = True
        gun.run(10)
        gun.let_go(Hook.SPIN)
        gun.run(50)
        assert not gun.world.driver_on
        status = gun.gun.status()
        assert (status.state, status.fault) == (ControllerState.FAULT, Fault.INTERLOCK_OPEN)
        assert status.total_forward_steps == gun.world.forward_steps
        assert status.total_backward_steps == gun.world.backward_steps
        with pytest.raises(Refused) as refused:
            gun.gun.arm(2, status.program_crc)
        assert refused.value.code is ErrorCode.FAULT_LATCHED
        gun.gun.clear_fault(Fault.INTERLOCK_OPEN)
        with pytest.raises(Refused) as refused:
            gun.gun.start(1)
        assert refused.value.code is ErrorCode.WRONG_STATE
        gun.run(100)
        assert len(gun.world.steps) == made
        assert not gun.world.driver_on

    def work() -> int:
        gun = firmware_gun
        begin_ns = stuck_in_a_shot(gun)
        # Then no words are left that an opening could stop.
        end_ms = RETRACTING.period_us / 1000 - 5
        instants = sorted(draw.uniform(STUCK_MS, end_ms) for _ in range(INSTANTS))
        seen = set()
        for number, at_ms in enumerate(instants):
            gun.run_to(begin_ns + round(at_ms * MS))
            seen.add(in_copy(lambda number=number: open_and_look(gun, number)))
        gun.run(60)
        assert gun.world.forward_steps == SHOT_STEPS
        assert gun.world.backward_steps == RETRACTED_STEPS
        return len(seen)

    # Steps are made in most of the period.
    assert in_copy(work) > INSTANTS // 3


@pytest.mark.req("R05")
@pytest.mark.parametrize("stuck", [True, False])
def test_the_budget_cuts_the_driver_at_its_very_step(
    firmware_gun: FirmwareGun, stuck: bool
) -> None:
    """The words are corrupted in memory when the gun is armed: a thousand steps more a segment."""
    budget = SHOT_STEPS + 1 + (SHOT_STEPS + 1) // 100 + 1

    def work() -> None:
        gun = firmware_gun
        gun.pull(Hook.CORRUPT)
        gun.start(SHOT)
        if stuck:
            gun.pull(Hook.SPIN)
        assert gun.pico.run_until(lambda: not gun.world.driver_on, 500 * MS)
        assert gun.is_hung == stuck
        gun.run(20)
        driven = [step for step in gun.world.steps if step.driven]
        assert len(driven) == budget
        (off_ns,) = (e.ns for e in gun.pico.edges if e.pin == gun.world.board.enable and e.level)
        assert 0 < off_ns - driven[-1].ns <= 100
        if stuck:
            assert len(gun.world.steps) > budget  # the words go on, and turn nothing
            return
        gun.run(20)
        status = gun.gun.status()
        assert (status.state, status.fault) == (ControllerState.FAULT, Fault.BUDGET_EXHAUSTED)
        made = len(gun.world.steps)
        gun.run(300)
        assert len(gun.world.steps) == made
        assert status.total_forward_steps == made

    in_copy(work)


@pytest.mark.req("R15", "R30")
def test_a_stop_ends_motion_within_10_ms_of_its_last_byte(firmware_gun: FirmwareGun) -> None:
    draw = random.Random(5)

    def stop(gun: FirmwareGun) -> float:
        sent_ns = gun.world.now_ns
        gun.gun.stop()
        assert not gun.world.driver_on
        last_ns = max([sent_ns, *gun.steps_since(sent_ns)])
        gun.run(500)
        assert gun.steps_since(last_ns) == []
        assert gun.gun.status().total_forward_steps == gun.world.forward_steps
        return (last_ns - sent_ns) / MS

    def work() -> list[float]:
        gun = firmware_gun
        begin_ns = gun.start(replace(SHOT, count=4))
        lasted = []
        for at_ms in sorted(draw.uniform(5, 780) for _ in range(16)):
            gun.run_to(begin_ns + round(at_ms * MS))
            lasted.append(in_copy(lambda: stop(gun)))
        return lasted

    assert max(in_copy(work)) <= 10
