"""A session is read from its records alone: shots, primes, faults, totals and what is missing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mesogun.errors import RecordError
from mesogun.records import (
    ClockMapping,
    Gap,
    ProblemKind,
    Session,
    SessionRecord,
    SessionStatus,
    Store,
    summarise,
)
from mesogun.records.view import round_nl
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    Fault,
    RecordKind,
    StepKind,
)
from mesogun_protocol.records import STEP_NONE
from tests.records.conftest import Board

BOARD = "e6614104037a5b2c"


@pytest.mark.req("R10")
def test_a_complete_session(store: Store, finished: Session) -> None:
    view = store.session_view(finished.id)
    assert (view.status, view.complete, view.incomplete) == (SessionStatus.ENDED, True, ())
    assert view.end
    assert view.end.reason is EndReason.COMPLETE
    assert [shot.shot for shot in view.shots] == [0, 1, 2, 3, 4]
    assert [shot.forward_steps for shot in view.shots] == [485, 509, 509, 509, 509]
    assert {shot.delivered_steps for shot in view.shots} == {485}
    assert (view.shots_delivered, view.delivered_steps) == (5, 2425)
    assert view.volume_nl == round_nl(2425 * 41_283) == 100_111
    assert view.upper_bound_nl == view.volume_nl
    assert (view.primes, view.faults, view.gaps, view.uncertain_shots) == ((), (), (), 0)
    assert view.states[0].state is ControllerState.RUNNING
    assert view.record_count == 13
    first = view.shots[0]
    assert (first.step, first.motion_ms, first.backward_steps, first.retract_steps) == (
        0,
        120,
        24,
        24,
    )
    # The result of 175 ms less 120 ms of motion; the intent was written at 48 ms.
    assert (first.start_ms, view.started_ms) == (55, 34)
    assert view.duration_s == pytest.approx((5 * 120 + 12 * 7) / 1000)


def test_a_session_that_never_started(store: Store, session: Session) -> None:
    view = store.session_view(session.id)
    assert view.status is SessionStatus.PLANNED
    assert (view.shots, view.record_count, view.duration_s) == ((), 0, None)
    assert not view.complete
    assert summarise(view) is None


def test_the_volume_is_exact_and_rounded_once(
    store: Store, make_session: Callable[..., Session], board: Any
) -> None:
    session = store.create_session(make_session(pl_per_step=500))
    board.start(session)
    for shot in range(3):
        board.intent(shot, dose_steps=1)
        board.result(shot, 1)
    board.end()
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert [shot.delivered_nl for shot in view.shots] == [1, 1, 1]
    assert view.volume_nl == 2


@pytest.mark.req("R10", "R30")
@pytest.mark.parametrize(
    ("forward", "backward", "reason", "delivered"),
    [
        (24 + 80 + 485, 80 + 24, EndReason.COMPLETE, 485),
        (24 + 80, 0, EndReason.STOPPED, 80),
        (24 + 80 + 485, 0, EndReason.STOPPED, 565),
        (24 + 80 + 485, 30, EndReason.STOPPED, 535),
        (10, 0, EndReason.STOPPED, 0),
    ],
)
def test_what_was_pushed_early_delivers_unless_it_was_taken_back(
    store: Store,
    session: Session,
    board: Any,
    forward: int,
    backward: int,
    reason: EndReason,
    delivered: int,
) -> None:
    board.start(session)
    board.intent(0, advance_steps=24, early_steps=80)
    board.result(0, forward, reason, advance_steps=24, early_steps=80, backward_steps=backward)
    board.intent(1, early_steps=80)
    store.ingest(BOARD, board.journal)
    first, open_one = store.session_view(session.id).shots
    assert first.delivered_steps == delivered
    assert open_one.upper_bound_steps == 485 + 80


@pytest.mark.parametrize(("forward", "delivered"), [(0, 0), (23, 0), (24, 0), (25, 1), (509, 485)])
def test_steps_that_take_up_a_retraction_deliver_nothing(
    store: Store, session: Session, board: Any, forward: int, delivered: int
) -> None:
    board.start(session)
    board.intent(0, advance_steps=24)
    board.result(0, forward, EndReason.STOPPED, advance_steps=24)
    board.end(EndReason.STOPPED)
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert view.shots[0].delivered_steps == view.delivered_steps == delivered
    assert view.complete
    assert view.shots_delivered == 0


@pytest.mark.req("R29")
def test_primes_are_counted_apart(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    board.shots(1)
    board.intent(0, 240, purpose=StepKind.PRIME)
    board.result(0, 240, purpose=StepKind.PRIME)
    board.shots(1, first=1)
    board.end()
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert [shot.shot for shot in view.shots] == [0, 1]
    assert [prime.delivered_steps for prime in view.primes] == [240]
    assert view.delivered_steps == 970
    assert view.prime_nl == round_nl(240 * 41_283)
    assert view.complete


def test_shots_whose_intents_are_queued_find_their_own_results(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0)
    board.intent(1)
    board.result(0, 485)
    board.result(1, 0, EndReason.CANCELLED)
    board.end(EndReason.STOPPED)
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert [shot.delivered_steps for shot in view.shots] == [485, 0]
    assert view.complete


@pytest.mark.req("R41", "R30")
def test_a_power_cut_leaves_an_uncertain_shot_with_its_upper_bound(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.shots(2)
    board.intent(2, advance_steps=24)
    store.ingest(BOARD, board.journal)
    running = store.session_view(session.id)
    assert (running.status, running.uncertain_shots) == (SessionStatus.OPEN, 0)
    assert running.upper_bound_nl > running.volume_nl

    board.boot()
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert (view.status, view.uncertain_shots, view.complete) == (
        SessionStatus.INTERRUPTED,
        1,
        False,
    )
    last = view.shots[-1]
    assert (last.uncertain, last.delivered_steps, last.upper_bound_steps) == (True, 0, 485)
    assert last.end_reason is None
    assert view.volume_nl == round_nl(970 * 41_283)
    assert view.upper_bound_nl == round_nl(1455 * 41_283)
    assert view.gaps == ()
    assert any("has no result" in str(reason) for reason in view.incomplete)


@pytest.mark.req("R41", "R30")
def test_progress_narrows_what_a_power_cut_leaves_open(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0, 40_000, advance_steps=24, purpose=StepKind.FLOW)
    board.progress(0, 1_024, 3_024)
    board.progress(0, 2_024, 4_024)
    store.ingest(BOARD, board.journal)
    (running,) = store.session_view(session.id).shots
    assert (running.delivered_steps, running.upper_bound_steps) == (2_000, 4_000)
    assert not running.uncertain

    board.sequence += 1  # torn by the cut
    board.boot()
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    (flow,) = view.shots
    assert (flow.delivered_steps, flow.upper_bound_steps, flow.uncertain) == (2_000, 4_000, True)
    assert view.volume_nl == round_nl(2_000 * 41_283)
    assert view.upper_bound_nl == round_nl(4_000 * 41_283)
    assert any("has no result" in str(reason) for reason in view.incomplete)


def test_progress_before_lost_records_bounds_nothing(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0, 40_000, purpose=StepKind.FLOW)
    board.progress(0, 1_000, 3_000)
    board.sequence += 2
    board.boot()
    store.ingest(BOARD, board.journal)
    (flow,) = store.session_view(session.id).shots
    assert (flow.delivered_steps, flow.upper_bound_steps) == (1_000, 40_000)


def test_the_result_counts_whatever_was_told_before(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0, 40_000, purpose=StepKind.FLOW)
    board.progress(0, 1_000, 3_000)
    board.result(0, 2_500, EndReason.STOPPED, StepKind.FLOW)
    board.end(EndReason.STOPPED)
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert [(flow.delivered_steps, flow.upper_bound_steps) for flow in view.shots] == [(2_500,) * 2]
    assert view.complete


def test_an_end_without_a_result_makes_the_shot_uncertain(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0)
    board.fault(Fault.STEP_COUNT_MISMATCH)
    board.end(EndReason.FAULTED)
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert view.shots[0].uncertain
    assert (view.faults[0].fault, view.faults[0].detail) == (Fault.STEP_COUNT_MISMATCH, 312)
    assert not view.complete


@pytest.mark.req("R40")
@pytest.mark.parametrize("torn", [1, 2])
def test_a_torn_record_before_a_boot_is_a_gap(
    store: Store, session: Session, board: Any, torn: int
) -> None:
    board.start(session)
    board.shots(1)
    board.intent(1)
    gap = Gap(board.sequence, board.sequence + torn - 1)
    board.sequence += torn
    board.boot()
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert view.gaps == (gap,)
    assert view.uncertain_shots == 1
    assert f"record {gap} is missing" in map(str, view.incomplete)


def test_a_boot_whose_own_record_is_lost_ends_the_session_too(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.intent(0)
    board.boot()
    board.syringe()
    store.ingest(BOARD, [*board.journal[:-2], board.journal[-1]])
    view = store.session_view(session.id)
    assert view.status is SessionStatus.INTERRUPTED
    assert view.gaps == (Gap(board.sequence - 2, board.sequence - 2),)


def test_sessions_of_one_board_and_of_others_do_not_mix(
    store: Store, session: Session, make_session: Callable[..., Session], make_board: type[Any]
) -> None:
    foreign_board = "00000000000000aa"
    second = store.create_session(make_session(session_id=2))
    foreign = store.create_session(make_session(board_id=foreign_board))
    board = make_board()
    board.start(session)
    board.shots(2)
    board.start(second)
    board.shots(3)
    board.end()
    unknown = make_session(session_id=77)
    board.start(unknown)
    board.shots(1)
    board.end()
    other = make_board()
    other.start(foreign)
    other.shots(4)
    other.end()
    store.ingest(foreign_board, other.journal)
    store.ingest(BOARD, board.journal)
    views = [store.session_view(each.id) for each in (session, second, foreign)]
    assert [len(view.shots) for view in views] == [2, 3, 4]
    assert [view.status for view in views] == ["interrupted", "ended", "ended"]
    assert [view.complete for view in views] == [False, True, True]


def test_a_lost_intent_counts_all_forward_steps(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    board.intent(0, advance_steps=24)
    board.result(0, 509, advance_steps=24)
    board.end()
    lost = board.journal.pop(2)
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert (view.shots[0].dose_steps, view.shots[0].planned_nl) == (None, None)
    assert view.shots[0].delivered_steps == 509
    assert view.totals_mismatch
    assert not view.complete
    store.ingest(BOARD, [lost])
    assert store.session_view(session.id).complete


def test_totals_that_do_not_add_up_are_told(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    board.shots(2)
    board.end(extra_steps=1)
    store.ingest(BOARD, board.journal)
    view = store.session_view(session.id)
    assert str(view.totals_mismatch) == (
        "SESSION_END tells 2 complete shots and 971 dose steps, the results add up to 2 and 970"
    )
    assert not view.complete


def test_lost_sealed_records_are_never_shown_as_less_dose(store: Store, finished: Session) -> None:
    with store._database.write() as db:
        db.exec_driver_sql(
            f"delete from records where kind = {RecordKind.SHOT_RESULT} and sequence < 106"
        )
    with pytest.raises(RecordError, match="has lost records: 13 were sealed, 12 are stored"):
        store.session_view(finished.id)


def test_the_device_clock_is_mapped_to_wall_time(store: Store, finished: Session) -> None:
    assert store.session_view(finished.id).clock is None
    epoch_s = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC).timestamp()
    store.seal_session(finished.id, ClockMapping(epoch_s, 1.5))
    clock = store.session_view(finished.id).clock
    assert clock
    assert clock.at(4_000) == datetime(2031, 5, 6, 7, 8, 15, tzinfo=UTC)
    store.seal_session(finished.id)
    assert store.session_view(finished.id).clock == clock


def test_statistics(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    for shot, forward in enumerate([485, 487, 480]):
        board.intent(shot)
        board.result(shot, forward)
    board.intent(3)
    board.result(3, 10, EndReason.STOPPED)
    board.end()
    store.ingest(BOARD, board.journal)
    figures = summarise(store.session_view(session.id))
    assert figures
    assert (figures.shots, figures.worst_error_steps, figures.worst_error_shot) == (3, -5, 2)
    assert figures.planned_mean_nl == pytest.approx(485 * 41.283)
    assert figures.delivered_mean_nl == pytest.approx(484 * 41.283)
    assert figures.delivered_min_nl == pytest.approx(480 * 41.283)
    assert figures.delivered_max_nl == pytest.approx(487 * 41.283)


def primed(store: Store, board: Board, session: Session) -> SessionRecord:
    """Starts a session after a prime by hand; whoever asks for less of it takes it away before."""
    store.ingest(BOARD, board.journal)
    board.journal.clear()
    board.start(session)
    board.shots(2)
    board.end()
    store.ingest(BOARD, board.journal)
    return store.session_view(session.id)


def prime_by_hand(board: Board) -> None:
    board.boot()
    board.syringe()
    board.intent(0, 1200, purpose=StepKind.PRIME, step=STEP_NONE)
    board.result(0, 1200, purpose=StepKind.PRIME, step=STEP_NONE)


def test_a_prime_before_the_start_belongs_to_the_session(
    store: Store, session: Session, board: Board
) -> None:
    prime_by_hand(board)
    view = primed(store, board, session)
    assert [prime.delivered_steps for prime in view.primes] == [1200]
    assert view.primes[0].start_ms is not None
    assert view.since_start_s(view.primes[0].start_ms) < 0
    assert len(view.shots) == 2
    assert view.complete


def test_a_prime_for_another_syringe_does_not(store: Store, session: Session, board: Board) -> None:
    prime_by_hand(board)
    board.syringe()
    assert primed(store, board, session).primes == ()


def test_a_record_that_is_missing_before_the_start_may_be_a_prime(
    store: Store, session: Session, board: Board
) -> None:
    prime_by_hand(board)
    lost = board.sequence - 1
    del board.journal[-1]
    view = primed(store, board, session)
    assert view.gaps == (Gap(lost, lost),)
    assert view.uncertain_shots == 1
    assert not view.complete
    kinds = [each.kind for each in store.verify(session.id).problems]
    assert ProblemKind.GAP in kinds
