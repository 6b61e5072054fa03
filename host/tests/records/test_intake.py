"""Raw records come in exactly once, whatever order, piece or repetition they come in."""

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from mesogun.errors import RecordError
from mesogun.records import IngestResult, RecordKey, Session, Store
from mesogun.records.speed import measure_ingest
from mesogun_protocol.enums import EndReason, RecordKind, StepKind
from mesogun_protocol.records import encode_record

BOARD = "e6614104037a5b2c"


def stored(store: Store) -> list[tuple[Any, ...]]:
    with store._database.read() as db:
        found = db.execute(text("select boot_id, sequence, raw from records order by 1, 2"))
        return [tuple(row) for row in found]


def a_journal(board: Any, session: Session) -> list[bytes]:
    board.boot()
    board.syringe()
    board.start(session)
    board.shots(2)
    board.intent(0, 240, purpose=StepKind.PRIME)
    board.result(0, 240, purpose=StepKind.PRIME)
    board.intent(2)
    board.result(2, 100, EndReason.STOPPED)
    board.shots(2, first=3)
    board.end()
    board.boot()
    return board.journal


@pytest.mark.req("R41")
@given(data=st.data())
@settings(max_examples=30)
def test_order_pieces_and_repetitions_change_nothing(
    data: st.DataObject, make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    journal = a_journal(make_board(), make_session())
    with Store.open("sqlite://") as plain:
        name = plain.create_session(make_session(id="abcdefgh")).id
        assert plain.ingest(BOARD, journal) == IngestResult(len(journal), 0, ())
        expected = plain.session_view(name)
        expected_rows = stored(plain)

    again = data.draw(st.lists(st.sampled_from(journal), max_size=20))
    shuffled = data.draw(st.permutations(journal + again))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=6)))
    with Store.open("sqlite://") as store:
        session = store.create_session(make_session(id="abcdefgh"))
        results = [
            store.ingest(BOARD, shuffled[a:b])
            for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
        ]
        view = store.session_view(session.id)
        assert stored(store) == expected_rows
        assert sum(result.stored for result in results) == len(journal)
        assert sum(result.duplicates for result in results) == len(again)
        assert view.record_hash == expected.record_hash
        assert (view.shots, view.primes) == (expected.shots, expected.primes)
        assert view.complete
        store.seal_session(session.id)
        assert store.verify(session.id).ok


def test_boards_and_boots_keep_their_own_records(store: Store, board: Any) -> None:
    board.boot()
    board.syringe()
    store.ingest(BOARD, board.journal)
    assert store.ingest("00000000000000aa", board.journal) == IngestResult(2, 0, ())
    assert store.ingest(BOARD, board.journal) == IngestResult(0, 2, ())


def test_other_bytes_under_a_key_never_replace_the_first(store: Store, board: Any) -> None:
    first = board.write(RecordKind.STATE, state=1, previous=0)
    board.sequence -= 1
    second = board.write(RecordKind.STATE, state=2, previous=0)
    key = RecordKey(board.boot_id, board.sequence - 1)
    assert store.ingest(BOARD, [first]) == IngestResult(1, 0, ())
    for _ in range(2):
        assert store.ingest(BOARD, [second]) == IngestResult(0, 0, (key,))
    assert stored(store) == [(*key, first)]
    with store._database.read() as db:
        assert db.scalars(text("select raw from conflicts")).all() == [second]


def test_two_records_of_one_key_in_one_batch_are_a_conflict(store: Store, board: Any) -> None:
    board.write(RecordKind.STATE, state=1, previous=0)
    board.sequence -= 1
    board.write(RecordKind.STATE, state=2, previous=0)
    result = store.ingest(BOARD, board.journal)
    assert (result.stored, len(result.conflicts)) == (1, 1)


@pytest.mark.req("R34")
@given(place=st.integers(0, 2), byte=st.integers(0, 31), bits=st.integers(1, 255))
def test_one_corrupt_record_refuses_the_batch(
    place: int, byte: int, bits: int, make_board: type[Any]
) -> None:
    board = make_board()
    board.boot()
    board.syringe()
    board.fault()
    raw = bytearray(board.journal[place])
    raw[byte] ^= bits
    batch = [*board.journal[:place], bytes(raw), *board.journal[place + 1 :]]
    with Store.open("sqlite://") as store:
        with pytest.raises(RecordError, match=f"Record {place} of this batch is corrupt"):
            store.ingest(BOARD, batch)
        assert stored(store) == []


def with_crc(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (bytes(31), "has 31 bytes, not 32"),
        (with_crc(bytes(6) + b"\xee" + bytes(21)), "no kind that this version knows"),
        (
            encode_record(
                *(1, 1, RecordKind.SECTOR, 255, 0),
                magic=0x4E47534D,
                acknowledged=0,
                erases=1,
                anchor=0,
            ),
            "a gun never sends",
        ),
    ],
)
def test_what_is_no_record_is_refused(store: Store, raw: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        store.ingest(BOARD, [raw])


@pytest.mark.parametrize("name", ["", "E6614104037A5B2C", "e6614104037a5b2", "' or 1=1 --"])
def test_a_board_id_is_checked(store: Store, name: str) -> None:
    with pytest.raises(RecordError, match="no board id"):
        store.ingest(name, [])


def test_a_body_of_the_future_is_kept_and_reported(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    raw = bytearray(board.write(RecordKind.STATE, state=1, previous=0))
    raw[12] = 0xEE
    board.journal[-1] = with_crc(bytes(raw[:-4]))
    assert store.ingest(BOARD, board.journal).stored == 3
    with pytest.raises(RecordError, match="is damaged"):
        store.session_view(session.id)
    assert "238 is not a ControllerState" in store.verify(session.id).problems[0].text


def test_the_measure_stores_what_it_counts(store: Store) -> None:
    assert measure_ingest(store, records=60, batch=25) > 0
    assert len(stored(store)) == 60
