"""What a gun delivers after its interpreter has failed, with the real firmware and watchdog."""

from dataclasses import replace

import pytest

from mesogun.emulated.copies import in_copy
from mesogun_protocol.enums import ControllerState, EndReason, Fault, RecordKind, ResetCause
from tests.emulated.firmware_gun import MS, SHOT, SHOT_STEPS, FirmwareGun, Hook

TRAIN = replace(SHOT, count=8)
#: In the motion of the second shot; in its rest before and after the third one is handed over.
MOVING, RESTING, HANDED_OVER = 250, 303, 380


def fail(gun: FirmwareGun, hook: Hook, at_ms: float) -> int:
    """Start a train, let `hook` act `at_ms` after its first step; return that time."""
    begin_ns = gun.start(TRAIN)
    gun.run_to(begin_ns + round(at_ms * MS))
    failed_ns = gun.world.now_ns
    gun.pull(hook)
    return failed_ns


def shots_after(gun: FirmwareGun, failed_ns: int) -> float:
    """Return how much of shots has been made since, in shots."""
    return len(gun.steps_since(failed_ns)) / SHOT_STEPS


def after_reset(gun: FirmwareGun) -> None:
    """Wait for the watchdog, let the firmware boot, and prove that it does nothing by itself."""
    assert gun.pico.run_until(lambda: gun.pico.resets == 1, 3_000 * MS)
    made = len(gun.world.steps)
    assert not gun.world.driver_on
    for hook in Hook:
        gun.let_go(hook)
    gun.run(2_000)
    gun.greet()
    assert gun.gun.info.reset_cause is ResetCause.WATCHDOG
    assert gun.gun.status().state is ControllerState.UNLOADED
    boots = [r.body["reset_cause"] for r in gun.records() if r.kind is RecordKind.BOOT]
    assert boots == [ResetCause.POWER_ON, ResetCause.WATCHDOG]
    assert len(gun.world.steps) == made
    assert not gun.world.driver_on


@pytest.mark.req("R15", "R16", "R17")
@pytest.mark.parametrize("at_ms", [MOVING, HANDED_OVER])
def test_an_exception_in_the_main_loop_ends_motion_at_once(
    firmware_gun: FirmwareGun, at_ms: float
) -> None:
    def work() -> None:
        gun = firmware_gun
        failed_ns = fail(gun, Hook.RAISE, at_ms)
        gun.run(30)
        # The pin wakes nobody; the loop's next pass raises, and the one after it would again.
        assert not gun.world.driver_on
        assert shots_after(gun, failed_ns) < 0.3
        gun.let_go(Hook.RAISE)
        gun.run(500)
        assert shots_after(gun, failed_ns) < 0.3
        gun.greet()
        status = gun.gun.status()
        assert (status.state, status.fault) == (ControllerState.FAULT, Fault.INTERNAL)
        records = gun.records()
        ends = [r.body["reason"] for r in records if r.kind is RecordKind.SESSION_END]
        assert ends == [EndReason.FAULTED]
        results = [r.body for r in records if r.kind is RecordKind.SHOT_RESULT]
        assert sum(body["forward_steps"] for body in results) == gun.world.forward_steps

    in_copy(work)


@pytest.mark.req("R17", "R18", "R19", "R30")
def test_an_interrupt_of_the_interpreter_ends_motion_and_then_resets(
    firmware_gun: FirmwareGun,
) -> None:
    def work() -> None:
        gun = firmware_gun
        failed_ns = fail(gun, Hook.INTERRUPT, MOVING)
        gun.run(30)
        assert not gun.world.driver_on
        assert shots_after(gun, failed_ns) < 0.3
        after_reset(gun)

    in_copy(work)


@pytest.mark.req("R17")
@pytest.mark.parametrize("at_ms", [MOVING, RESTING, HANDED_OVER])
@pytest.mark.parametrize("hook", [Hook.SPIN, Hook.SLEEP])
def test_a_hung_interpreter_delivers_one_shot_at_most(
    firmware_gun: FirmwareGun, hook: Hook, at_ms: float
) -> None:
    def work() -> None:
        gun = firmware_gun
        failed_ns = fail(gun, hook, at_ms)
        gun.run(100)
        gun.let_go(
            Hook.SPIN
        )  # a loop that spins costs 20 s a second here; one that sleeps hangs too
        gun.pull(Hook.SLEEP)
        gun.run(1_000)
        made = len(gun.world.steps)
        assert made % SHOT_STEPS == 0
        assert shots_after(gun, failed_ns) <= 1

    in_copy(work)


@pytest.mark.req("R17", "R18", "R19", "R30")
def test_a_hung_interpreter_is_reset_and_resumes_nothing(firmware_gun: FirmwareGun) -> None:
    def work() -> None:
        gun = firmware_gun
        failed_ns = fail(gun, Hook.SLEEP, MOVING)
        after_reset(gun)
        assert len(gun.world.steps) == 2 * SHOT_STEPS
        assert shots_after(gun, failed_ns) < 1
        records = gun.records()
        intents = {r.body["shot"] for r in records if r.kind is RecordKind.SHOT_INTENT}
        results = {r.body["shot"] for r in records if r.kind is RecordKind.SHOT_RESULT}
        assert (intents, results) == ({0, 1}, {0})

    in_copy(work)
