"""Nothing of a sealed session can be changed or lost without `verify` saying so."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from mesogun.errors import RecordError
from mesogun.records import ClockMapping, ProblemKind, Session, Store, VerifyReport, chain
from mesogun_protocol.enums import EndReason, RecordKind, StepKind
from mesogun_protocol.limits import RECORD_BYTES
from mesogun_protocol.records import decode_record, encode_record

BOARD = "e6614104037a5b2c"


def change(store: Store, statement: str, **values: Any) -> None:
    with store._database.write() as db:
        assert db.execute(text(statement), values).rowcount > 0


def kinds(report: VerifyReport) -> set[ProblemKind]:
    return {problem.kind for problem in report.problems}


def filled(store: Store, make_board: type[Any], make_session: Callable[..., Session]) -> None:
    """Store a sealed session, `NUMBERS`, with a prime and a stopped shot."""
    session = store.create_session(make_session(id="abcdefgh"))
    board = make_board()
    board.boot()
    board.syringe()
    board.start(session)
    board.shots(2)
    board.intent(0, 240, purpose=StepKind.PRIME)
    board.result(0, 240, purpose=StepKind.PRIME)
    board.intent(2)
    board.result(2, 100, EndReason.STOPPED)
    board.end(EndReason.STOPPED)
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    assert board.sequence == NUMBERS.stop


def test_a_sound_session_has_no_problem(store: Store, finished: Session) -> None:
    report = store.verify(finished.id)
    assert report.ok
    assert report.record_count == 13
    assert report.record_hash == store.session_view(finished.id).record_hash
    assert store.verify_all() == [report]


@pytest.fixture(scope="module")
def sealed(make_board: type[Any], make_session: Callable[..., Session]) -> Iterator[Store]:
    """A store whose one session each example changes and puts right again."""
    with Store.open("sqlite://") as store:
        filled(store, make_board, make_session)
        yield store


NUMBERS = range(102, 113)
"""Sequence numbers of the session in `sealed`."""


@contextmanager
def changed_records(store: Store, changes: dict[int, Callable[[bytes], bytes | None]]):
    """Put other bytes in the place of records, or nothing for None, and undo it at the end."""
    with store._database.read() as db:
        rows = db.execute(text("select * from records")).mappings().all()
    kept = [dict(row) for row in rows if row["sequence"] in changes]
    for row in kept:
        raw = changes[row["sequence"]](row["raw"])
        if raw is None:
            change(store, "delete from records where sequence = :sequence", **row)
        else:
            change(
                store,
                "update records set raw = :new where sequence = :s",
                new=raw,
                s=row["sequence"],
            )
    yield
    for row in kept:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        change(store, f"insert or replace into records ({names}) values ({values})", **row)


@given(
    sequence=st.sampled_from(NUMBERS),
    byte=st.integers(0, RECORD_BYTES - 1),
    bits=st.integers(1, 255),
)
def test_every_altered_byte_of_every_record_is_found(
    sequence: int, byte: int, bits: int, sealed: Store
) -> None:
    def flipped(raw: bytes) -> bytes:
        return raw[:byte] + bytes([raw[byte] ^ bits]) + raw[byte + 1 :]

    assert sealed.verify("abcdefgh").ok
    with changed_records(sealed, {sequence: flipped}):
        report = sealed.verify("abcdefgh")
        assert sequence in {problem.sequence for problem in report.problems}
        assert ProblemKind.DAMAGED in kinds(report)
        with pytest.raises(RecordError):
            sealed.seal_session("abcdefgh")


@given(numbers=st.sets(st.sampled_from(NUMBERS), min_size=1))
def test_every_removed_record_is_found(numbers: set[int], sealed: Store) -> None:
    assert sealed.verify("abcdefgh").ok
    with changed_records(sealed, {number: lambda _: None for number in numbers}):
        assert ProblemKind.REMOVED in kinds(sealed.verify("abcdefgh"))
        with pytest.raises(RecordError, match="verify"):
            sealed.session_view("abcdefgh")


def test_a_record_removed_from_the_middle_is_named(store: Store, finished: Session) -> None:
    change(store, "delete from records where sequence = 106")
    problems = store.verify(finished.id).problems
    assert ("gap", 106, "Record 106 is missing.") in [
        (p.kind, p.sequence, p.text) for p in problems
    ]


@pytest.mark.parametrize("kind", [RecordKind.SHOT_RESULT, RecordKind.SHOT_INTENT])
def test_an_altered_record_with_a_new_crc_breaks_the_chain(
    store: Store, finished: Session, kind: RecordKind
) -> None:
    sequence = 105 if kind is RecordKind.SHOT_RESULT else 104
    with store._database.read() as db:
        raw = db.scalar(text("select raw from records where sequence = :s"), {"s": sequence})
    record = decode_record(raw)
    assert record.kind is kind
    forged = encode_record(
        record.sequence, record.boot_id, kind, record.step, record.time_ms + 1, **record.body
    )
    change(store, "update records set raw = :raw where sequence = :s", raw=forged, s=sequence)
    report = store.verify(finished.id)
    assert kinds(report) == {ProblemKind.ALTERED}
    assert "Records 102 to 114" in report.problems[0].text


def test_a_forged_dose_does_not_add_up_either(store: Store, finished: Session) -> None:
    with store._database.read() as db:
        record = decode_record(db.scalar(text("select raw from records where sequence = 105")))
    body = {**record.body, "forward_steps": record.body["forward_steps"] - 1}
    forged = encode_record(105, record.boot_id, record.kind, record.step, record.time_ms, **body)
    change(store, "update records set raw = :raw where sequence = 105", raw=forged)
    assert kinds(store.verify(finished.id)) == {ProblemKind.ALTERED, ProblemKind.TOTALS}


@pytest.mark.parametrize("column", ["kind", "boot_id", "sequence"])
@pytest.mark.parametrize("sequence", [102, 108, 114])
def test_an_altered_key_is_found(
    store: Store, finished: Session, column: str, sequence: int
) -> None:
    new = 9 if column == "kind" else 900
    change(store, f"update records set {column} = {new} where sequence = {sequence}")
    assert not store.verify(finished.id).ok


def test_a_record_put_into_a_torn_gap_is_found(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    board.shots(1)
    board.intent(1)
    torn = board.sequence
    board.sequence += 1
    board.boot()
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    assert kinds(store.verify(session.id)) == {ProblemKind.GAP}
    board.sequence, board.boot_id = torn, board.boot_id - 1
    board.result(1, 1)
    store.ingest(BOARD, board.journal[-1:])
    assert kinds(store.verify(session.id)) == {ProblemKind.UNSEALED}
    store.seal_session(session.id)
    board.sequence, board.journal = torn - 2, []
    board.fault()
    change(
        store,
        "update records set raw = :raw, kind = 7 where sequence = :s",
        raw=board.journal[0],
        s=torn - 2,
    )
    assert ProblemKind.ALTERED in kinds(store.verify(session.id))


@pytest.mark.parametrize(
    "assignment",
    [
        "operator = 'Somebody'",
        "operator = null",
        "patient_ref = 'P-2'",
        "created_at = '2020-01-01T00:00:00.000+00:00'",
        "boot_id = 9",
        "program_name = 'Neck'",
        "program_toml = ''",
        "program_wire = x'00'",
        "pl_per_step = 41284",
        "syringe = 'bd-plastipak-5'",
        "volume_planned_nl = 1",
        "firmware_build = 1",
        "gun_kind = 'board'",
        "seed = null",
    ],
)
def test_an_altered_session_row_is_found(store: Store, finished: Session, assignment: str) -> None:
    change(store, f"update sessions set {assignment}")
    assert ProblemKind.SESSION in kinds(store.verify(finished.id))
    with pytest.raises(RecordError, match="not sealed again"):
        store.seal_session(finished.id, ClockMapping(1.0, 1.0))


@pytest.mark.parametrize("table", ["seals", "records"])
def test_an_unstarted_session_is_protected_from_the_start(
    store: Store, session: Session, table: str
) -> None:
    assert store.verify(session.id).ok
    if table == "seals":
        change(store, "delete from seals")
        assert kinds(store.verify(session.id)) == {ProblemKind.REMOVED}
    else:
        change(store, "update sessions set limit_shots = 11")
        assert kinds(store.verify(session.id)) == {ProblemKind.SESSION, ProblemKind.ALTERED}


@pytest.mark.parametrize(
    "statement",
    [
        "update seals set record_count = 12 where number = 1",
        "update seals set head_hash = 'ab' where number = 1",
        "update seals set status = 'open' where number = 1",
        "update seals set clock_rate = 2.0 where number = 1",
        "update seals set sealed_at = '' where number = 1",
        "update seals set seal = 'ab' where number = 0",
        "delete from seals where number = 0",
    ],
)
def test_an_altered_seal_is_found(store: Store, finished: Session, statement: str) -> None:
    change(store, statement)
    assert not store.verify(finished.id).ok


def test_a_conflict_is_reported(store: Store, finished: Session, board: Any) -> None:
    board.boot_id, board.sequence, board.journal = 3, 106, []
    board.fault()
    assert store.ingest(BOARD, board.journal).conflicts
    report = store.verify(finished.id)
    assert [(p.kind, p.sequence) for p in report.problems] == [(ProblemKind.CONFLICT, 106)]


def test_totals_that_do_not_agree_are_reported(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    board.shots(5)
    board.end(extra_steps=3)
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    assert kinds(store.verify(session.id)) == {ProblemKind.TOTALS}


@pytest.mark.parametrize(("extra_steps", "found"), [(0, set()), (1, {ProblemKind.TOTALS})])
def test_the_end_may_tell_of_a_shot_whose_result_was_not_written_but_of_no_more(
    store: Store, session: Session, board: Any, extra_steps: int, found: set[ProblemKind]
) -> None:
    board.start(session)
    board.shots(4)
    board.intent(4)
    board.complete_shots += 1
    board.end(EndReason.FAULTED, extra_steps=485 + extra_steps)
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    record, report = store.proven_view(session.id)
    assert kinds(report) == found
    assert (record.uncertain_shots, record.complete) == (1, False)


def test_a_gun_that_did_something_else_than_the_host_meant(
    store: Store, session: Session, board: Any, make_session: Callable[..., Session]
) -> None:
    board.syringe(pl_per_step=20_000)
    board.start(make_session(program_wire=b"other", shots_planned=9))
    board.end()
    board.session_id += 1
    board.start(session)
    board.end()
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    report = store.verify(session.id)
    assert kinds(report) == {ProblemKind.MISMATCH}
    found = " ".join(problem.text for problem in report.problems)
    assert "starts the session again" in found
    assert "program CRC" in found
    assert "number of shots as 9, the session's row as 5" in found
    assert "volume of a step in pl as 20000" in found


def test_an_end_with_another_number_is_reported(store: Store, session: Session, board: Any) -> None:
    board.start(session)
    board.session_id = 5
    board.end()
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    assert "session's number as 5" in store.verify(session.id).problems[0].text


def test_the_syringe_of_the_session_is_checked_for_damage(store: Store, finished: Session) -> None:
    change(store, "update records set raw = zeroblob(32) where sequence = 101")
    report = store.verify(finished.id)
    assert [(p.kind, p.sequence) for p in report.problems] == [(ProblemKind.DAMAGED, 101)]


@pytest.mark.req("R41")
def test_a_host_that_was_killed_goes_on_sealing_after_sync(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.shots(1)
    store.ingest(BOARD, board.journal)
    assert kinds(store.verify(session.id)) == {ProblemKind.UNSEALED}
    early = store.seal_session(session.id)
    assert (early.number, early.status, early.record_count) == (1, "open", 4)
    board.shots(4, first=1)
    board.end()
    store.ingest(BOARD, board.journal)
    late = store.seal_session(session.id, ClockMapping(1.0e9, 1.0))
    assert (late.number, late.status, late.record_count) == (2, "ended", 13)
    assert store.seal_session(session.id).seal == late.seal
    assert store.verify(session.id).ok
    assert store.session_view(session.id).seal == late.seal


def test_a_boot_after_the_seal_can_be_sealed_but_not_taken_away(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    board.boot()
    store.ingest(BOARD, board.journal)
    assert "sealed as open, the stored records say interrupted" in (
        store.verify(session.id).problems[0].text
    )
    assert store.seal_session(session.id).status == "interrupted"
    change(store, "delete from records where kind = 1")
    assert kinds(store.verify(session.id)) == {ProblemKind.REMOVED}


def test_an_open_session_with_a_gap_waits_for_sync(
    store: Store, session: Session, board: Any
) -> None:
    board.start(session)
    board.shots(2)
    late = board.journal.pop(3)
    store.ingest(BOARD, board.journal)
    with pytest.raises(RecordError, match="record 103 is missing and may still come"):
        store.seal_session(session.id)
    store.ingest(BOARD, [late])
    assert store.seal_session(session.id).record_count == 6


def test_the_hash_of_the_same_run_is_the_same_everywhere(
    make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    def run(**changes: Any) -> tuple[str, str]:
        with Store.open("sqlite://") as store:
            session = store.create_session(make_session(**changes))
            board = make_board()
            board.start(session)
            board.shots(5)
            board.end()
            store.ingest(session.board_id, board.journal)
            seal = store.seal_session(session.id)
            return seal.head_hash, seal.seal

    first, again = run(), run()
    elsewhere = run(board_id="00000000000000aa", operator="Another", patient_ref=None, boot_id=9)
    assert first[0] == again[0] == elsewhere[0]
    assert len({first[1], again[1], elsewhere[1]}) == 3
    for changed in (
        {"program_wire": b"\x02"},
        {"needle": "27g-13"},
        {"pl_per_step": 41_284},
        {"calibration_id": 8},
        {"limit_session_nl": 1},
        {"session_id": 5},
    ):
        assert run(**changed)[0] != first[0]


def test_the_chain_is_what_its_description_says(
    make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    session = make_session()
    board = make_board()
    board.start(session)
    board.shots(5)
    board.end()
    header = (
        '{"calibration_id":7,"limit_session_nl":200000,"limit_shot_nl":25000,"limit_shots":10,'
        '"needle":"30g-4","pl_per_step":41283,"program_crc":1234567890,"program_wire":"0110270000",'
        '"shots_planned":5,"syringe":"bd-plastipak-10","tag":"mesogun-record-1",'
        '"volume_planned_nl":100000}'
    ).replace("1234567890", str(zlib.crc32(bytes.fromhex("0110270000"))))
    head = hashlib.sha256(header.encode()).digest()
    expected = [head.hex()]
    for raw in board.journal:
        head = hashlib.sha256(head + raw).digest()
        expected.append(head.hex())
    assert chain.heads(session, board.journal) == expected
