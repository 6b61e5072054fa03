"""What the tests let a gun do: steps, sessions, and hands that work its trigger."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

from benches.bench import Bench, Edge

from mesogun.catalog import get_syringe
from mesogun.gun import Gun, Status, UploadReceipt
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState, Fault, OnRelease, StepKind, TriggerMode

SYRINGE = "bd-plastipak-5"
PL_PER_STEP = get_syringe(SYRINGE).pl_per_step()
FILL_NL = 4_000_000
OVER = (ControllerState.DONE, ControllerState.FAULT, ControllerState.READY)

#: A shot that is quick to simulate: 10 ul in 100 ms, 350 steps.
SHOT = PlannedStep(StepKind.SHOTS, dose_nl=10_000, inject_us=100_000, period_us=200_000)
FLOW = PlannedStep(StepKind.FLOW, dose_nl=20_000, inject_us=2_000_000)
PAUSE = PlannedStep(StepKind.PAUSE)
PRIME = PlannedStep(StepKind.PRIME, trigger=TriggerMode.PRESS, dose_nl=10_000, inject_us=200_000)

_LEAST_NL = 50_000
"""So much that what the first shots leave in the syringe, a microlitre or two, hardly counts."""

_session_ids = itertools.count(1)


def shots(
    count: int, trigger: TriggerMode = TriggerMode.AUTO, on_release: OnRelease = OnRelease.FINISH
) -> PlannedStep:
    """Return `count` quick shots."""
    return replace(SHOT, count=count, trigger=trigger, on_release=on_release)


def some(bench: Bench, count: int, least: int = 2) -> int:
    """Return how many of `count` repetitions the target has the time for."""
    return min(count, max(least, round(count * bench.patience)))


def shortened(bench: Bench, step: PlannedStep) -> PlannedStep:
    """Return a step with as many shots, or as much of its flow, as the target has the time for."""
    if bench.patience == 1 or not step.dose_nl:
        return step
    if step.kind is not StepKind.FLOW:
        return replace(step, count=min(step.count, max(3, -(-_LEAST_NL // step.dose_nl))))
    # Five looks at the sensors cost about as much as a shot, and a flow has fifty a second.
    parts = round(10 / bench.patience)
    return replace(step, dose_nl=step.dose_nl // parts, inject_us=step.inject_us // parts)


def steps_of(dose_nl: int, pl_per_step: int = PL_PER_STEP) -> int:
    """Return the whole steps of a dose."""
    return dose_nl * 1000 // pl_per_step


def load(gun: Gun, fill_nl: int = FILL_NL, pressure_limit_kpa: int = 800) -> None:
    """Declare the syringe that is on the bench, and generous limits."""
    gun.load_syringe(PL_PER_STEP, fill_nl, pressure_limit_kpa, 1, 164)
    gun.set_limits(FILL_NL, FILL_NL, 1000)


def arm(gun: Gun, *steps: PlannedStep, fill_nl: int = FILL_NL) -> int:
    """Load, upload and arm; return the number of the session."""
    load(gun, fill_nl)
    return arm_again(gun, gun.upload(steps))


def arm_again(gun: Gun, receipt: UploadReceipt) -> int:
    """Arm what is uploaded; return the number of the session."""
    session_id = next(_session_ids)
    gun.arm(session_id, receipt.program_crc)
    return session_id


def start(gun: Gun, *steps: PlannedStep) -> int:
    """Load, upload, arm and start; return the number of the session."""
    session_id = arm(gun, *steps)
    gun.start(session_id)
    return session_id


def follow(gun: Gun, seconds: float, *states: ControllerState) -> Status:
    """Listen until the gun is in one of `states`; assert that it is there in time."""
    deadline_ms = gun.status().clock_ms + seconds * 1000
    while True:
        status = gun.status()
        if status.state in states:
            return status
        left_ms = deadline_ms - status.clock_ms
        assert left_ms > 0, f"still {status.state.name} after {seconds} s"
        # An event ends the wait.
        gun.wait(min(1.0, left_ms / 1000))


def listen(gun: Gun, seconds: float) -> None:
    """Let time pass with a host that is there."""
    deadline_ms = gun.status().clock_ms + seconds * 1000
    while (left_ms := deadline_ms - gun.status().clock_ms) > 0:
        gun.wait(left_ms / 1000)


def press(bench: Bench, seconds: float = 0.08) -> None:
    """Press once; the host is silent for that time, and for the lock-out after it."""
    bench.press()
    bench.run_for(seconds)
    bench.release()
    bench.run_for(0.08)


def recover(gun: Gun, fault: Fault) -> None:
    """Clear a fault whose cause is gone."""
    gun.clear_fault(fault)
    assert gun.status().fault is Fault.NONE


def groups(edges: list[Edge], gap_ns: int = 40_000_000) -> Iterator[list[Edge]]:
    """Cut edges into shots where nothing moves for `gap_ns`."""
    group: list[Edge] = []
    for edge in edges:
        if group and edge.at_ns - group[-1].at_ns > gap_ns:
            yield group
            group = []
        group.append(edge)
    if group:
        yield group


def until(bench: Bench, true: Callable[[], bool], seconds: float, look_s: float = 0.001) -> None:
    """Let time pass with a silent host until something is true on the bench."""
    for _ in range(round(seconds / look_s)):
        if true():
            return
        bench.run_for(look_s)
    raise AssertionError(f"it did not happen within {seconds} s")
