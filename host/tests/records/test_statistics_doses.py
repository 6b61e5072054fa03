"""Errors of doses against examples that were worked out by hand."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from mesogun.errors import UsageError
from mesogun.records import Session, Store, summarise
from mesogun.records.statistics import (
    back_pressure_effect,
    count_within,
    dose_accuracy,
    dose_errors_percent,
)
from mesogun.records.statistics.doses import BACK_PRESSURE_KPA, SUCCESSIVE_DOSES
from mesogun_protocol.enums import EndReason

BOARD = "e6614104037a5b2c"


def test_25_successive_doses() -> None:
    delivered = [30_000.0] * 24 + [31_500.0]
    errors = dose_errors_percent(delivered, [30_000] * SUCCESSIVE_DOSES)
    assert errors == [0] * 24 + [5]
    accuracy = dose_accuracy(errors)
    # One error of 5 among 25: mean 0.2, sum of squares 24 x 0.2^2 + 4.8^2 = 24, over n - 1 = 24.
    assert accuracy.shots == 25
    assert accuracy.mean_percent == pytest.approx(0.2)
    assert accuracy.deviation_percent == pytest.approx(1.0)
    assert (accuracy.under_percent, accuracy.over_percent, accuracy.worst_percent) == (0, 5, 5)
    assert (count_within(errors, 5), count_within(errors, 4.99)) == (25, 24)


def test_the_worst_error_keeps_its_sign_and_doses_may_differ_in_setting() -> None:
    accuracy = dose_accuracy(dose_errors_percent([9.0, 102.0, 4.9], [10, 100, 5]))
    assert accuracy.worst_percent == accuracy.under_percent == pytest.approx(-10)
    assert accuracy.over_percent == pytest.approx(2)
    assert accuracy.mean_percent == pytest.approx(-10 / 3)


def test_a_single_dose_has_no_deviation() -> None:
    assert dose_accuracy([1.5]).deviation_percent is None


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda: dose_errors_percent([1.0], [1, 1]), "1 delivered doses and 2 set doses"),
        (lambda: dose_errors_percent([1.0, 1], [1, 0]), "set dose of 0 "),
        (lambda: dose_errors_percent([1.0], [math.nan]), "set dose of nan "),
        (lambda: dose_accuracy([]), "no value"),
        (lambda: dose_accuracy([0.0, math.nan]), "nan is no measured value"),
        (lambda: back_pressure_effect({0: [1.0]}), r"Doses at \[0\] kPa"),
        (lambda: back_pressure_effect({-13.33: [1.0], 13.33: [1.0]}), r"13.33\] kPa"),
        (lambda: back_pressure_effect({0: [0.0], 13.33: [1.0]}), "mean dose of 0.0 nl at 0 kPa"),
        (lambda: back_pressure_effect({0: [1.0], 13.33: []}), "no value"),
    ],
)
def test_wrong_doses_are_refused(act: Callable[[], object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        act()


def test_back_pressure_shifts_the_mean() -> None:
    high, low = BACK_PRESSURE_KPA, -BACK_PRESSURE_KPA
    effect = back_pressure_effect({0: [9.0, 11.0], high: [9.8, 9.8], low: [10.0, 10.2]})
    assert effect.shift_percent == {high: pytest.approx(-2), low: pytest.approx(1)}
    assert effect.worst_percent == pytest.approx(-2)
    # From +1 % to -2 % over 2 x 13.33 kPa.
    assert effect.percent_per_kpa == pytest.approx(-3 / 26.66)


def test_one_pressure_is_enough_for_a_slope() -> None:
    effect = back_pressure_effect({0: [10.0], 5: [9.0]})
    assert effect.percent_per_kpa == pytest.approx(-2)


def test_a_session_tells_its_accuracy(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    for shot, forward in enumerate([485, 487, 480]):
        board.intent(shot)
        board.result(shot, forward)
    board.intent(3, dose_steps=0)
    board.result(3, 0)
    board.intent(4)
    board.result(4, 10, EndReason.STOPPED)
    board.end()
    store.ingest(BOARD, board.journal)
    figures = summarise(store.session_view(session.id))
    assert figures
    assert figures.shots == 4
    accuracy = figures.accuracy
    assert accuracy
    assert accuracy.shots == 3  # the empty one has no percent, the stopped one no say
    assert accuracy.mean_percent == pytest.approx(100 * (2 - 5) / 485 / 3)
    assert accuracy.worst_percent == pytest.approx(-500 / 485)


def test_a_session_of_empty_shots_has_no_accuracy(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0, dose_steps=0)
    board.result(0, 0)
    board.end()
    store.ingest(BOARD, board.journal)
    figures = summarise(store.session_view(session.id))
    assert figures
    assert figures.accuracy is None
