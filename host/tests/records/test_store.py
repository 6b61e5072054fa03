"""Sessions are made once, found by the start of their id, listed by filter, and exported."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mesogun.errors import RecordError, UsageError
from mesogun.records import ClockMapping, Session, Store
from mesogun.records.chain import HEADER_FIELDS, columns, heads
from mesogun_protocol.enums import EndReason, Fault, StepKind

BOARD = "e6614104037a5b2c"


def test_ids_are_short_and_numbers_fit_the_gun(
    store: Store, make_session: Callable[..., Session]
) -> None:
    given = columns(make_session(), "id", "session_id", "created_at")
    made = [store.create_session(Session(**given)) for _ in range(20)]
    assert len({session.id for session in made}) == 20
    assert all(len(session.id) == 8 and session.id.isalnum() for session in made)
    assert all(1 <= session.session_id < 1 << 32 for session in made)
    age = datetime.now(UTC) - datetime.fromisoformat(made[0].created_at)
    assert timedelta(seconds=-1) < age < timedelta(minutes=5)


@pytest.mark.parametrize("number", [0, 1 << 32])
def test_a_number_that_no_gun_takes(
    store: Store, make_session: Callable[..., Session], number: int
) -> None:
    with pytest.raises(RecordError, match="1 to 4294967295"):
        store.create_session(make_session(session_id=number))


def test_a_board_gets_each_number_once(store: Store, make_session: Callable[..., Session]) -> None:
    store.create_session(make_session(id="aaaaaaaa"))
    with pytest.raises(RecordError, match="has a session number 3237998081 already"):
        store.create_session(make_session(id="bbbbbbbb"))
    store.create_session(make_session(id="cccccccc", board_id="00000000000000aa"))
    assert {session.id for session in store.list_sessions()} == {"aaaaaaaa", "cccccccc"}


def test_a_session_is_found_by_the_start_of_its_id(
    store: Store, make_session: Callable[..., Session]
) -> None:
    store.create_session(make_session(id="k7m29xqd", session_id=1))
    store.create_session(make_session(id="k7p29xqd", session_id=2))
    assert store.find_session("k7m29xqd").session_id == 1
    assert store.find_session(" K7P").session_id == 2
    with pytest.raises(RecordError, match="More than one session begins with 'k7'"):
        store.find_session("k7")
    for missing in ("zz", "", "%", "k_m"):
        with pytest.raises(RecordError, match="There is no session"):
            store.find_session(missing)


def test_the_list_is_filtered_and_the_newest_comes_first(
    store: Store, make_session: Callable[..., Session]
) -> None:
    for day, operator, patient, board in (
        (1, "A", "P1", BOARD),
        (2, "B", "P1", BOARD),
        (3, "A", "P2", "00000000000000aa"),
    ):
        store.create_session(
            make_session(
                id=f"{day}" * 8,
                session_id=day,
                operator=operator,
                patient_ref=patient,
                board_id=board,
                created_at=f"2031-05-0{day}T12:00:00.000+00:00",
            )
        )

    def days(**filters: Any) -> list[int]:
        return [session.session_id for session in store.list_sessions(**filters)]

    assert days() == [3, 2, 1]
    assert days(operator="A") == [3, 1]
    assert days(patient_ref="P1") == [2, 1]
    assert days(patient_ref="P1", operator="A") == [1]
    assert days(board_id=BOARD) == [2, 1]
    assert days(limit=2) == [3, 2]
    assert days(limit=1, operator="A", until=datetime(2031, 5, 3, tzinfo=UTC)) == [1]
    noon = datetime(2031, 5, 2, 12, tzinfo=UTC)
    assert days(since=noon) == [3, 2]
    assert days(until=noon) == [1]
    assert days(since=noon.astimezone(timezone(timedelta(hours=9)))) == [3, 2]
    with pytest.raises(UsageError, match="needs a zone"):
        days(since=datetime(2031, 5, 2))  # noqa: DTZ001
    with pytest.raises(UsageError, match="not the beginning of a board id"):
        days(board_id="x")


@pytest.fixture
def eventful(store: Store, session: Session, board: Any) -> Session:
    board.start(session)
    board.intent(0, 240, purpose=StepKind.PRIME)
    board.result(0, 240, purpose=StepKind.PRIME)
    board.shots(2)
    board.intent(2)
    board.fault(Fault.INTERLOCK_OPEN)
    board.end(EndReason.FAULTED)
    store.ingest(BOARD, board.journal)
    epoch_s = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC).timestamp()
    store.seal_session(session.id, ClockMapping(epoch_s, 1.0))
    return session


def test_csv_has_a_line_for_each_shot(store: Store, eventful: Session) -> None:
    rows = list(csv.DictReader(io.StringIO(store.export(eventful.id, "csv"))))
    assert [(row["purpose"], row["shot"], row["end_reason"]) for row in rows] == [
        ("prime", "0", "complete"),
        ("shots", "0", "complete"),
        ("shots", "1", "complete"),
        ("shots", "2", ""),
    ]
    assert rows[1]["session"] == eventful.id
    assert rows[1]["delivered_nl"] == "20022"
    # 120 ms of motion before the result of 14.275 s; the intent was written at 14.148 s.
    assert rows[1]["at_utc"] == "2031-05-06 07:08:14.155"
    assert (rows[3]["uncertain"], rows[3]["delivered_nl"], rows[3]["upper_bound_nl"]) == (
        "True",
        "0",
        "20022",
    )


def test_json_has_everything_to_check_the_hash_elsewhere(store: Store, eventful: Session) -> None:
    document = json.loads(store.export(eventful.id, "json"))
    view = store.session_view(eventful.id)
    assert document["id"] == eventful.id
    assert (document["status"], document["end_reason"]) == ("ended", "faulted")
    assert (document["record_complete"], document["uncertain_shots"]) == (False, 1)
    assert document["volume_delivered_nl"] == view.volume_nl
    assert document["volume_upper_bound_nl"] == view.upper_bound_nl > view.volume_nl
    assert [shot["delivered_steps"] for shot in document["shots"]] == [485, 485, 0]
    assert [prime["forward_steps"] for prime in document["primes"]] == [240]
    assert document["faults"][0]["fault"] == "interlock_open"
    assert document["states"][0]["previous"] == "armed"
    assert document["statistics"]["shots"] == 2
    assert document["clock"]["rate"] == 1.0
    assert document["gaps"] == []
    raws = [bytes.fromhex(raw) for raw in document["records"]]
    assert heads(store.find_session(eventful.id), raws)[-1] == document["record_hash"]
    plan = document["session"] | {"program_crc": eventful.program_crc}
    assert set(HEADER_FIELDS) <= set(plan)


def test_a_session_without_shots_and_clock_is_exported_too(store: Store, session: Session) -> None:
    assert store.export(session.id, "csv").count("\n") == 1
    document = json.loads(store.export(session.id, "json"))
    assert (document["clock"], document["statistics"], document["shots"]) == (None, None, [])


def test_other_formats_are_refused(store: Store, session: Session) -> None:
    with pytest.raises(UsageError, match="csv and json"):
        store.export(session.id, "xml")
