"""R06 to R12 at the needle of the virtual gun, over specimens drawn within their tolerances."""

import itertools
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mesogun import words
from mesogun.bench import accuracy, pairs
from mesogun.bench.cells import (
    NAPPAGE,
    PERFUSION,
    POINT_30,
    POINT_50,
    POINT_100,
    TRAINS,
    Cell,
    Train,
    grid,
)
from mesogun.bench.measure import Measured, measure
from mesogun.bench.replay import Bed, deliver, specimen
from mesogun.bench.rows import measured_of, row_of
from mesogun.bench.trains import motion_of
from mesogun.catalog import MeasuredTrain, get_needle, get_syringe, measured_trains
from mesogun.program import compile_steps
from mesogun.program.accuracy import covers
from mesogun.records.statistics import dose_errors_percent

DRAWS = 20


def _covers(train: MeasuredTrain, cell: Cell) -> bool:
    syringe, needle = get_syringe(cell.syringe), get_needle(cell.needle)
    (step,) = compile_steps(cell.program(), syringe)
    return covers(train, step, syringe, needle, cell.viscosity_mpa_s)


def _hardest() -> Iterator[Cell]:
    """The cells that bound the supported grid: no other one that holds is harder in every respect.

    What the catalog says of 200 specimens is measured here again with fewer.
    """
    supported = {each.id: each for each in measured_trains().values() if not each.fails}
    for cell in grid():
        others = supported.copy()
        if others.pop(cell.id, None) and not any(
            _covers(each, cell) for each in others.values() if each.id.endswith(cell.train.id)
        ):
            yield cell


HARDEST = [*_hardest()]


@pytest.fixture(scope="module", autouse=True)
def _guns_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path_factory.mktemp("guns")))


@cache
def measured(cell: Cell) -> Measured:
    return measure(cell, DRAWS)


def holds(requirement: str, *trains: Train) -> None:
    """Each cell keeps what a requirement says about its train."""
    seen = 0
    for cell in HARDEST:
        if cell.train in (trains or TRAINS):
            for finding in measured(cell).findings:
                if finding.requirement == requirement:
                    seen += 1
                    assert finding.holds, f"{cell}: {finding}"
    assert seen >= len(trains or TRAINS)


@pytest.mark.req("R06")
def test_mean_and_worst_of_successive_shots() -> None:
    holds("R06", NAPPAGE, POINT_30, POINT_50, POINT_100)


@pytest.mark.req("R07")
def test_nearly_all_shots_of_nearly_all_guns() -> None:
    holds("R07")


@pytest.mark.req("R08")
def test_a_mesoperfusion_of_45_minutes_keeps_its_mean() -> None:
    holds("R08", PERFUSION)


@pytest.mark.req("R09")
def test_back_pressure_hardly_shifts_the_dose() -> None:
    holds("R09")


@pytest.mark.req("R10")
def test_the_record_is_what_left_the_needle() -> None:
    holds("R10")


@pytest.mark.req("R11")
def test_hardly_anything_follows_the_end_or_a_stop() -> None:
    holds("R11")


@pytest.mark.req("R12")
def test_what_goes_back_is_bounded() -> None:
    holds("R12")
    for cell in HARDEST:
        runs = motion_of(cell).runs
        turns = [b.forward for a, b in itertools.pairwise(runs) if a.forward != b.forward]
        assert turns.count(False) <= cell.train.shots


@pytest.mark.req("R06")
@pytest.mark.parametrize("bed", [Bed(), Bed(tissue="intradermal")], ids=["air", "skin"])
@pytest.mark.parametrize(
    ("cell", "most_percent"),
    [
        (Cell("bd-plastipak-5", "30g-4", 1.0, NAPPAGE), 5.0),
        (Cell("bd-plastipak-10", "30g-13", 1.0, NAPPAGE), 10.0),
    ],
    ids=["usual pair", "hard corner"],
)
def test_a_nominal_gun_gives_each_shot_in_its_own_period(
    cell: Cell, most_percent: float, bed: Bed
) -> None:
    made = deliver(motion_of(cell), specimen(cell, None, bed), None, bed)

    errors = dose_errors_percent(made.doses_nl, [10_000.0] * len(made.doses_nl))
    assert max(map(abs, errors[2:])) <= most_percent


def test_without_advance_the_shots_of_the_hard_corner_smear_into_each_other() -> None:
    cell = Cell("bd-plastipak-10", "30g-13", 1.0, NAPPAGE).without_advance()
    made = deliver(motion_of(cell), specimen(cell, None), None)

    errors = dose_errors_percent(made.doses_nl, [10_000.0] * len(made.doses_nl))
    assert errors[0] < -40
    assert errors[1] < -10
    assert made.dribble_nl > 1_000


def test_the_pairs_are_measured_on_every_bed_with_and_without_advance() -> None:
    rows = [*pairs.measure_pairs(0)]

    assert len({(row.cell, row.mounted) for row in rows}) == 2 * 2 * len(pairs.BEDS) + 2
    assert {len(row.cells()) for row in rows} == {len(pairs.HEADINGS)}
    for cell in (pairs.USUAL, pairs.HARD):
        plain, ahead = (
            next(row for row in rows if (row.cell, row.bed) == (each, Bed()))
            for each in (cell.without_advance(), cell)
        )
        assert ahead.window_percent > 1.5 * plain.window_percent


def test_a_corner_that_cannot_be_met_is_said_to_fail_and_why() -> None:
    found = measure(Cell("bd-plastipak-10", "32g-4", 1.0, POINT_30), 3)

    assert not found.holds
    assert "dribble after a stop" in accuracy.why(found)
    assert "10 allowed (R11)" in accuracy.why(found)
    assert accuracy.table_row(found)[-1].startswith("fails: ")

    [again] = tomllib.loads(accuracy.catalog_toml([found]))["measured"]
    read = MeasuredTrain.model_validate(again | {"source": "bench-accuracy"}, strict=False)
    wrong = [each for each in found.findings if not each.holds]
    assert [(each.what, each.requirement) for each in read.fails] == [
        (each.what, each.requirement) for each in wrong
    ]
    with words.speak("fr"):
        known = {each.what for each in found.findings}
        assert not known & {words._(each) for each in known}


def test_what_was_found_survives_being_written(tmp_path: Path) -> None:
    found = measured(HARDEST[0])

    again = measured_of(row_of(found))

    assert again.cell == found.cell
    assert [each.what for each in again.findings] == [each.what for each in found.findings]
    assert again.holds == found.holds
    for _ in range(2):
        accuracy.append_row(found, tmp_path / "rows")
    assert (tmp_path / "rows").read_text().count("\n") == 2
    assert f'id = "{found.cell.id}"' in accuracy.catalog_toml([found])
    assert "nappage" in accuracy.markdown([found])
