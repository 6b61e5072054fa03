"""R24 to R26 on guns drawn within their tolerances, which run the real firmware."""

from pathlib import Path

import pytest

from mesogun.bench.fluid import WORKS, Case, spoil
from mesogun.bench.occlusion import (
    HARMS,
    HEADINGS,
    OTHER_HEADINGS,
    Found,
    append_row,
    blocked,
    clean,
    other_rows,
    rows,
    supported,
    totals,
)
from mesogun.catalog import get_syringe
from mesogun_protocol.enums import Fault

NAPPAGE, NAPPAGE_2, PAPULES, _, POINT_100, PERFUSION, FLOW_5, FLOW_10, _ = WORKS
FAST = (
    Case(NAPPAGE, "bd-plastipak-3", "32g-4"),
    Case(NAPPAGE, "bd-plastipak-5", "30g-4"),
    Case(NAPPAGE, "bd-plastipak-10", "30g-13"),
    Case(NAPPAGE_2, "bbraun-omnifix-10", "30g-4"),
    Case(PAPULES, "bd-plastipak-5", "30g-4"),
    Case(POINT_100, "bd-plastipak-5", "30g-13"),
)
SLOW = (
    Case(PERFUSION, "bd-plastipak-10", "27g-13"),
    Case(FLOW_5, "bd-plastipak-3", "30g-13"),
    Case(FLOW_10, "bd-plastipak-5", "30g-4"),
)


@pytest.fixture(autouse=True)
def _guns_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "guns"))


@pytest.mark.req("R24", "R25")
@pytest.mark.parametrize("case", FAST + SLOW, ids=lambda case: f"{case.work.id} {case.syringe}")
def test_a_needle_that_gets_blocked_behind_pressure_advance_is_found_in_time(case: Case) -> None:
    assert case.supported()
    for each in blocked(case, 2):
        assert not each.missed, each


@pytest.mark.req("R24")
@pytest.mark.parametrize("case", FAST + SLOW, ids=lambda case: f"{case.work.id} {case.syringe}")
def test_undisturbed_guns_raise_no_alarm(case: Case) -> None:
    for each in clean(case, 2):
        assert each.trial.fault is Fault.NONE, each


@pytest.mark.req("R26")
@pytest.mark.parametrize("case", SLOW, ids=lambda case: case.work.id)
def test_where_stallguard_is_blind_the_force_tells_it_before_a_slip(case: Case) -> None:
    step = case.step()
    mm_per_s = step.dose_nl / step.inject_us * 1000 / get_syringe(case.syringe).area_mm2
    assert mm_per_s / 0.8 * 60 < 10, "the driver's own stall output is trusted above 10 rpm"
    for each in blocked(case, 3):
        assert (each.trial.fault, each.trial.slips) == (Fault.OCCLUSION, 0)


@pytest.mark.req("R26")
def test_a_pusher_that_slides_along_the_plunger_is_found_by_shots_without_pressure() -> None:
    case = Case(NAPPAGE_2, "bd-plastipak-3", "30g-4")
    found = [spoil(case, seed, lambda plant: plant.faults.slip_plunger(5.0)) for seed in range(3)]
    assert {each.fault for each in found} == {Fault.NO_PRESSURE}
    assert all(each.after_shots <= 9 for each in found)


def test_what_is_not_supported_is_left_out_and_said_by_the_check() -> None:
    cases = [*supported()]
    assert set(FAST + SLOW) <= set(cases)
    assert Case(FLOW_5, "bd-plastipak-10", "30g-4") not in cases, "R24 would take it too long"
    assert Case(POINT_100, "bd-plastipak-10", "30g-4") not in cases, "skin may need the alarm's"
    assert Case(NAPPAGE, "bd-plastipak-10", "32g-4") not in cases, "R25 allows no such pressure"


def test_what_was_found_becomes_tables_and_rows(tmp_path: Path) -> None:
    case = FAST[1]
    found = [*blocked(case, 1), *clean(case, 1)]
    harm = "a bubble of 50 ul"
    trial = spoil(case, 0, HARMS[harm], 2.0)
    found.append(Found(harm, case.work.id, case.syringe, case.needle, 0, trial))

    (row,) = rows(found)
    assert len(row) == len(HEADINGS)
    assert (row[3], row[4], row[-2], row[-1]) == ("1", "0", "60", "0")
    (other,) = other_rows(found)
    assert len(other) == len(OTHER_HEADINGS)
    assert other[3] == "1"
    assert totals(found).startswith("0 missed of 1 blocked needles; 0 false alarms in 60 shots")
    for each in found:
        append_row(each, tmp_path / "rows")
    assert (tmp_path / "rows").read_text().count('"fault"') == 3
