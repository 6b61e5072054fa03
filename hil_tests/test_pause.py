"""Rests: those of the program and those that the host asks for."""

from dataclasses import replace

import pytest
from benches.bench import Bench
from sessions import FLOW, PAUSE, PRIME, SHOT, follow, listen, press, shots, start, steps_of

from mesogun.gun import Gun, Refused
from mesogun.program.planned import PlannedStep
from mesogun_protocol.enums import ControllerState, ErrorCode, StepKind, TriggerMode

DONE, PAUSED, RUNNING = ControllerState.DONE, ControllerState.PAUSED, ControllerState.RUNNING


def test_a_pause_step_waits_for_the_host(bench: Bench, gun: Gun) -> None:
    session_id = start(gun, shots(2), PAUSE, shots(3))
    status = follow(gun, 3, PAUSED)
    assert (status.step_index, status.step_kind, status.shots_done) == (1, StepKind.PAUSE, 2)
    listen(gun, 60)
    assert gun.status().state is PAUSED
    assert bench.steps().forward == steps_of(20_000)
    gun.resume(session_id)
    assert follow(gun, 3, DONE).shots_done == 5


@pytest.mark.parametrize("steps", [(PAUSE, SHOT), (SHOT, PAUSE), (PAUSE, PAUSE, SHOT, PAUSE)])
def test_pauses_stand_anywhere(gun: Gun, steps: tuple[PlannedStep, ...]) -> None:
    session_id = start(gun, *steps)
    for _ in range(steps.count(PAUSE)):
        follow(gun, 3, PAUSED)
        gun.resume(session_id)
    assert follow(gun, 3, DONE).shots_done == 1


@pytest.mark.sampled
@pytest.mark.parametrize(
    "after_s", [0.0, 0.003, 0.05, 0.0995, 0.1005, 0.15, 0.1985, 0.1995, 0.2005, 0.203]
)
def test_the_host_pauses_between_two_shots(bench: Bench, gun: Gun, after_s: float) -> None:
    session_id = start(gun, shots(5))
    bench.run_for(0.2 + after_s)
    gun.pause()
    status = follow(gun, 1, PAUSED)
    paused_at = status.shots_done
    assert paused_at in (1, 2, 3)
    assert bench.steps().forward == steps_of(paused_at * 10_000)
    listen(gun, 1)
    assert gun.status().shots_done == paused_at
    gun.resume(session_id)
    status = follow(gun, 5, DONE)
    assert status.shots_done == 5
    assert bench.steps().forward == steps_of(50_000)


@pytest.mark.parametrize(
    "step",
    [
        shots(3),
        shots(3, TriggerMode.HOLD),
        shots(3, TriggerMode.PRESS),
        FLOW,
        replace(FLOW, trigger=TriggerMode.HOLD),
        replace(PRIME, inject_us=1_000_000),
        replace(SHOT, count=3, retract_nl=2_000, film_nl=2_000, film_every=1, period_us=400_000),
    ],
)
def test_every_kind_of_step_can_be_paused_and_resumed(
    bench: Bench, gun: Gun, step: PlannedStep
) -> None:
    session_id = start(gun, shots(1), step)
    follow(gun, 3, RUNNING)
    listen(gun, 0.25)
    for _ in range(2 if step.count > 1 else 1):
        if step.trigger is not TriggerMode.AUTO:
            press(bench)
        gun.pause()
        follow(gun, 3, PAUSED)
        paused_ns = bench.now_ns()
        listen(gun, 1)
        assert not bench.edges_since(paused_ns)
        gun.resume(session_id)
        listen(gun, 0.1)
    for _ in range(5):
        if gun.status().state is RUNNING and step.trigger is not TriggerMode.AUTO:
            bench.press()
            bench.run_for(1)
            bench.release()
            bench.run_for(0.1)
    status = follow(gun, 5, DONE)
    dose_nl = 10_000 + step.count * (step.dose_nl + step.film_nl)
    if step.kind is StepKind.PRIME:
        assert status.primed_steps == pytest.approx(steps_of(10_000), abs=1)
        dose_nl -= step.dose_nl
    assert status.delivered_steps == pytest.approx(steps_of(dose_nl), abs=1)


def test_a_resume_names_its_session_and_waits_for_the_trigger(bench: Bench, gun: Gun) -> None:
    session_id = start(gun, PAUSE, shots(1, TriggerMode.HOLD))
    with pytest.raises(Refused) as refused:
        gun.resume(session_id + 1)
    assert refused.value.code is ErrorCode.PROGRAM_MISMATCH
    bench.press()
    bench.run_for(0.1)
    with pytest.raises(Refused) as refused:
        gun.resume(session_id)
    assert refused.value.code is ErrorCode.NOT_RELEASED
    assert not bench.edges_since(0)
