"""What is known of the dose at the needle, and the warning where nothing is."""

from typing import Any

import pytest

from mesogun.catalog import measured_trains, techniques, treatments
from mesogun.program import check, plan
from mesogun.program.checks import check_document
from mesogun.program.problems import Problem

from .program_documents import changed


def warnings(document: dict[str, Any]) -> list[Problem]:
    found = check_document(document)[1]
    assert not any(each.hard for each in found), found
    return [each for each in found if "was not shown to keep R06 to R12" in each.text]


def test_what_is_built_in_lies_within_what_was_measured() -> None:
    for name in [*treatments(), *techniques()]:
        setting = (treatments().get(name) or techniques()[name]).setting
        program = plan(name, syringe=setting.syringe)
        assert not [each for each in check(program) if "R06" in each.text], name


@pytest.mark.req("R02")
@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            changed(needle="32g-4", syringe="bd-plastipak-10", step={"inject_s": 0.2}),
            "no train as hard was measured",
        ),
        (changed(step={"rate_hz": 5.0}), "no train as hard was measured"),
        (changed(pressure_advance=False), "it was measured with pressure advance"),
        (
            changed(delivery="wet", step={"film_ul": 2.0, "count": 50}),
            "films were not measured",
        ),
    ],
    ids=["barrel and needle", "rest", "plain", "films"],
)
def test_a_corner_is_warned_of_and_may_be_confirmed(document: dict[str, Any], why: str) -> None:
    (found,) = warnings(document)

    assert found.path == ("step", 0, "dose_ul")
    assert not found.hard
    assert why in found.text or "fails by" in found.text


def test_a_train_that_failed_says_by_what() -> None:
    (found,) = warnings(changed(needle="30g-13", syringe="bd-plastipak-10", step={"rate_hz": 4.0}))

    assert "fails by dribble after a stop" in found.text


def test_a_train_whose_first_shots_do_not_count_covers_no_dose_of_those_that_do() -> None:
    """30 ul from 10 ml through 27G fail by their first shot; nappage of 10 ul holds there."""
    slow = {"rate_hz": 1.0, "inject_s": 0.4}
    program = {
        "needle": "27g-13",
        "syringe": "bd-plastipak-10",
        "technique": "mps",
        "depth_mm": 4.0,
    }

    (found,) = warnings(changed(**program, step={**slow, "dose_ul": 30.0, "count": 20}))
    assert "30 ul in 0.3 s, one every 0.8 s, fails by worst shot" in found.text
    assert not warnings(changed(**program, step={**slow, "dose_ul": 29.0, "count": 20}))


def test_the_grid_has_its_provenance() -> None:
    rows = measured_trains().values()

    assert {row.source for row in rows} == {"bench-accuracy"}
    assert {row.draws for row in rows} == {200}
    assert any(row.fails for row in rows)
