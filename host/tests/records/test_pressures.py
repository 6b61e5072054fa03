"""A record tells of pressures that moved: what no alarm was about, and the dose may have missed."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.records import Drift, Session, Store, pressure_drifts
from mesogun.records.pressures import drift_of
from mesogun_protocol.enums import EndReason

BOARD = "e6614104037a5b2c"


def drifts(store: Store, session: Session, board: Any, peaks_kpa: Sequence[int]) -> list[Drift]:
    board.boot()
    board.start(session)
    for shot, kpa in enumerate(peaks_kpa):
        board.intent(shot)
        board.result(shot, pressure_kpa=kpa)
    board.intent(len(peaks_kpa))
    board.result(len(peaks_kpa), 100, EndReason.FAULTED, pressure_kpa=900)
    board.end(EndReason.FAULTED)
    store.ingest(BOARD, board.journal)
    return [*pressure_drifts(store.session_view(session.id))]


@pytest.mark.parametrize(
    ("late_kpa", "found"), [(26, [(70, 26)]), (120, [(70, 120)]), (60, []), (80, [])]
)
def test_shots_that_need_another_pressure_later_are_told(
    store: Store, session: Session, board: Any, late_kpa: int, found: list[tuple[int, int]]
) -> None:
    """The very first shot winds the drive up, the one that an alarm ended is no equal shot."""
    seen = drifts(store, session, board, [10] + [70] * 10 + [late_kpa] * 10)
    assert [(each.first_kpa, each.last_kpa) for each in seen] == found


def test_few_shots_and_little_pressure_prove_nothing(
    store: Store, session: Session, board: Any
) -> None:
    assert drift_of(0, [70, 70, 70, 70, 10, 10, 10]) is None
    assert drifts(store, session, board, [5] * 10 + [15] * 10) == []


@given(st.lists(st.integers(70, 90), min_size=8, max_size=200))
def test_shots_into_like_skin_are_never_suspicious(peaks_kpa: list[int]) -> None:
    drift = drift_of(0, peaks_kpa)
    assert drift is not None
    assert not drift.is_suspicious
