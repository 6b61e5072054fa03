"""Integers for the gun: what they are, and that no volume is lost on the way."""

from typing import Any

import pytest
from hypothesis import given

from mesogun import catalog
from mesogun.catalog import get_syringe
from mesogun.errors import ProgramError
from mesogun.program import PlannedStep, Program, compile_steps, estimate, plan, volumes
from mesogun.program.checks import check_document
from mesogun.program.planned import planned_steps
from mesogun_protocol.enums import OnRelease, StepKind, TriggerMode

from .program_documents import DOCUMENTS, NAPPAGE, changed


def program_of(document: dict[str, Any]) -> Program:
    program, _ = check_document(document)
    assert program is not None
    return program


def steps_of(document: dict[str, Any]) -> list[PlannedStep]:
    return planned_steps(program_of(document))


def test_a_train_of_shots():
    document = changed(
        pressure_advance=False, step={"ramp_ms": 5.0, "retract_ul": 1.5, "on_release": "stop"}
    )

    assert steps_of(document) == [
        PlannedStep(
            kind=StepKind.SHOTS,
            trigger=TriggerMode.HOLD,
            on_release=OnRelease.STOP,
            count=100,
            dose_nl=10_000,
            inject_us=100_000,
            period_us=333_333,
            ramp_us=5_000,
            retract_nl=1_500,
        )
    ]


@pytest.mark.parametrize(
    ("pace", "period_us"),
    [({"interval_s": 0.2}, 300_000), ({"period_s": 0.25}, 250_000), ({"rate_hz": 4}, 250_000)],
)
def test_the_pace_however_it_is_written(pace: dict[str, float], period_us: int):
    document = changed(drop="rate_hz")
    document["step"][0] |= pace

    (step,) = steps_of(document)

    assert step.period_us == period_us


@pytest.mark.parametrize("trigger", ["auto", "hold", "press"])
@pytest.mark.parametrize(("duration_s", "count"), [(0.25, 1), (1.0, 4), (1.01, 5), (30.0, 120)])
def test_a_duration_is_filled_in_every_trigger_mode(trigger: str, duration_s: float, count: int):
    document = changed(step={"rate_hz": 4.0, "trigger": trigger}, drop="count")
    document["step"][0]["duration_s"] = duration_s

    assert steps_of(document)[0].count == count


def test_flow_pause_and_prime():
    document = plan("me").document()
    document["step"] = [
        {"kind": "prime", "volume_ul": 100.0},
        {"kind": "pause", "message": "x"},
        {"kind": "flow", "rate_ul_per_s": 2.0, "duration_s": 30.0, "trigger": "auto"},
        {"kind": "flow", "rate_ul_per_s": 2.0, "volume_ul": 30.0, "trigger": "hold"},
        {"kind": "prime", "volume_ul": 1000.0},
    ]

    prime, pause, by_time, by_volume, large = steps_of(document)

    assert prime == PlannedStep(
        kind=StepKind.PRIME,
        trigger=TriggerMode.PRESS,
        dose_nl=100_000,
        inject_us=2_000_000,
        ramp_us=50_000,
    )
    assert pause == PlannedStep(kind=StepKind.PAUSE)
    assert (by_time.dose_nl, by_time.inject_us, by_time.period_us) == (60_000, 30_000_000, 0)
    assert (by_volume.dose_nl, by_volume.inject_us) == (30_000, 15_000_000)
    assert by_volume.trigger is TriggerMode.HOLD
    assert large.inject_us == 10_000_000


@pytest.mark.parametrize(("delivery", "every", "films"), [("wet", 1, 5), ("mixed", 2, 2)])
def test_films(delivery: str, every: int, films: int):
    document = changed(delivery=delivery, step={"film_ul": 2.0, "count": 5})

    (step,) = steps_of(document)

    assert (step.film_nl, step.film_every) == (2_000, every)
    assert step.films_nl == films * 2_000
    assert estimate(program_of(document)).volume_nl == 50_000 + films * 2_000


def test_another_syringe_than_the_program_was_checked_for_is_refused():
    with pytest.raises(ProgramError, match='face: syringe = "bd-plastipak-5", but terumo-5 is'):
        compile_steps(plan("face"), get_syringe("terumo-5"))


@given(DOCUMENTS)
def test_estimate_and_steps_agree(document: dict[str, Any]):
    program = program_of(document)
    steps = compile_steps(program, get_syringe(program.syringe))
    figures, volume = estimate(program), volumes(steps)

    assert len(steps) == len(program.steps)
    assert figures.volume_nl == volume.dose_nl + volume.film_nl
    assert figures.prime_nl == volume.prime_nl
    assert figures.fill_nl >= figures.volume_nl + figures.prime_nl
    assert all(isinstance(value, int) for step in steps for value in vars(step).values())


def test_estimate_of_the_face():
    figures = estimate(plan("face"))

    assert figures.shots == 300
    assert figures.volume_nl == 3_000_000
    assert figures.fill_nl == 3_150_000
    assert figures.margin_nl == 4_925_000 - 3_150_000
    assert figures.duration_s == pytest.approx(99.77, abs=0.01)
    assert figures.peak_flow_ul_per_s == pytest.approx(100 / 0.9)
    assert figures.peak_pressure_kpa == pytest.approx(362, abs=1)
    assert figures.peak_force_n == pytest.approx(46, abs=1)


@pytest.mark.parametrize("name", [*catalog.treatments(), *catalog.techniques()])
def test_planned_volume_is_met_with_whole_shots(name: str):
    program = plan(name)
    entry = catalog.treatments().get(name) or catalog.techniques()[name]

    assert estimate(program).volume_nl == entry.setting.volume_ul * 1000
    assert program.limits.total_ul == entry.setting.volume_ul


def test_a_program_is_a_value():
    assert program_of(NAPPAGE) == program_of(changed())
    assert hash(program_of(NAPPAGE)) == hash(program_of(changed()))
    assert program_of(NAPPAGE) != program_of(changed(depth_mm=1.5))
    assert program_of(NAPPAGE) != NAPPAGE
