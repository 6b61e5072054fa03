"""Pressure advance: how much is pushed early, and when it is let be."""

from typing import Any

import pytest
from hypothesis import given

from mesogun.catalog import get_needle, get_syringe, syringes
from mesogun.program import PlannedStep, compile_steps
from mesogun.program.advance import reversal_nl, stored_nl
from mesogun.program.checks import check_document
from mesogun.program.motion import motion_of
from mesogun_protocol import limits

from .program_documents import DOCUMENTS, changed


def planned(document: dict[str, Any]) -> PlannedStep:
    program, problems = check_document(document)
    assert program is not None
    assert not [each for each in problems if each.hard]
    return compile_steps(program, get_syringe(program.syringe))[0]


def with_rate(rate_hz: float, **step: Any) -> dict[str, Any]:
    return changed(step={"rate_hz": rate_hz, **step})


@pytest.mark.parametrize(
    ("syringe", "needle", "stored_ul"),
    # Compliance 0.13 and 0.27 ul/kPa; 100 ul/s of water take 53 and 111 kPa.
    [("bd-plastipak-5", "30g-4", 6.97), ("bd-plastipak-10", "30g-13", 30.2)],
)
def test_what_a_flow_stores_is_compliance_times_its_pressure(
    syringe: str, needle: str, stored_ul: float
) -> None:
    stored = stored_nl(10_000, 100_000, get_syringe(syringe), get_needle(needle), 1.0)

    assert stored == pytest.approx(stored_ul * 1000, rel=0.005)


def test_a_compliance_that_was_measured_takes_the_place_of_the_catalogs() -> None:
    usual, measured = planned(changed()), planned(changed(compliance_ul_per_kpa=0.2))

    ratio = 0.2 / get_syringe("bd-plastipak-5").compliance_ul_per_kpa
    assert measured.stored_nl / usual.stored_nl == pytest.approx(ratio, rel=1e-3)


def test_a_train_takes_the_reversal_back_too_and_needs_no_ramp() -> None:
    step = planned(with_rate(4.0, ramp_ms=10.0))

    assert (step.stored_nl, step.ramp_us) == (6_968, 0)
    assert step.retract_nl == reversal_nl(get_syringe("bd-plastipak-5")) == 4_798
    assert planned(changed(step={"retract_ul": 2.0})).retract_nl == 2_000


def test_a_drive_that_cannot_start_as_fast_keeps_its_ramp() -> None:
    step = planned(changed(syringe="bd-plastipak-3", step={"ramp_ms": 10.0}))

    assert step.stored_nl > 0
    assert step.ramp_us == 10_000


@pytest.mark.parametrize(
    "document",
    [
        changed(pressure_advance=False),
        changed(syringe="bd-plastipak-3", needle="26g-4", step={"ramp_ms": 10.0}),
        with_rate(4.0, inject_s=0.2),
        changed(delivery="wet", step={"film_ul": 2.0, "count": 50}),
    ],
    ids=["not wanted", "not worth while", "no time", "films between"],
)
def test_a_train_goes_without(document: dict[str, Any]) -> None:
    step = planned(document)

    assert (step.stored_nl, step.retract_nl) == (0, 0)


@pytest.mark.req("R12")
def test_more_than_may_go_back_in_one_piece_is_not_pushed_early() -> None:
    step = planned(changed(syringe="bd-plastipak-10", needle="32g-4", step={"rate_hz": 2.0}))

    assert step.stored_nl + step.retract_nl == limits.RETRACT_MAX_NL


@pytest.mark.req("R12")
@given(DOCUMENTS)
def test_every_train_keeps_the_bounds_of_the_gun(document: dict[str, Any]) -> None:
    program, problems = check_document(document)
    if program is None or any(each.hard for each in problems):
        return
    syringe = syringes()[program.syringe]
    for step in compile_steps(program, syringe):
        assert step.stored_nl >= 0
        assert step.stored_nl + step.retract_nl <= limits.RETRACT_MAX_NL
        if step.stored_nl:
            assert motion_of(step, syringe.pl_per_step()).needed_us <= step.period_us
