"""The gun's own running hash finds what no hash in the store can find."""

import pytest
from sqlalchemy import Connection, select, text, update

from mesogun.errors import RecordError
from mesogun.records import GunHash, ProblemKind, Session, Store, chain, tables
from mesogun.records.material import load
from mesogun.records.rows import read
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.records import DIGEST_NONE, decode_record, encode_record, next_digest
from tests.records.conftest import BOARD, Board, new_session
from tests.records.old_layouts import overwrite_seal

RECORD = tables.records.c


def give(store: Store, board: Board) -> None:
    """Store what is in the journal, as a host does, and let the gun forget it."""
    store.ingest(BOARD, board.journal)
    board.journal.clear()


def run(store: Store, board: Board, number: int, shots: int = 3) -> Session:
    """Record a session behind an acknowledgement, and seal it with the gun's hash."""
    session = store.create_session(new_session(session_id=number))
    board.acknowledge()
    board.syringe()
    board.start(session)
    board.shots(shots)
    board.end()
    give(store, board)
    store.seal_session(session.id, gun_hash=board.gun_hash())
    return session


@pytest.fixture
def board() -> Board:
    board = Board(sequence=1, boot_id=0)
    board.boot()
    return board


@pytest.fixture
def sessions(store: Store, board: Board) -> list[Session]:
    return [run(store, board, number) for number in (1, 2, 3)]


def problems(store: Store, session: Session) -> list[ProblemKind]:
    return [problem.kind for problem in store.verify(session.id).problems]


def stored(db: Connection, sequence: int) -> bytes:
    return db.execute(select(RECORD.raw).where(RECORD.sequence == sequence)).scalar_one()


def overwrite(db: Connection, sequence: int, raw: bytes) -> None:
    db.execute(update(tables.records).where(RECORD.sequence == sequence).values(raw=raw))


def rewrite(store: Store, sequence: int) -> None:
    """Take a step off a shot, and make the record's CRC fit."""
    with store._database.write() as db:
        record = decode_record(stored(db, sequence))
        assert record.kind is RecordKind.SHOT_INTENT
        body = {**record.body, "dose_steps": record.body["dose_steps"] - 1}
        overwrite(db, sequence, encode_record(*record[:5], **body))


def seal_all_again(store: Store) -> None:
    """Make every hash in the store fit what it holds, those that the gun has told too."""
    with store._database.write() as db:
        rows = db.execute(select(tables.records).order_by(RECORD.sequence)).all()
        digest, below = DIGEST_NONE, {}
        for row in rows:
            below[row.sequence] = digest
            raw = row.raw
            if row.kind == RecordKind.ACKNOWLEDGED:
                record = decode_record(raw)
                raw = encode_record(*record[:5], **{**record.body, "digest": digest})
                overwrite(db, row.sequence, raw)
            digest = next_digest(digest, raw)
        below[rows[-1].sequence + 1] = digest
        for session in read(db, Session, select(tables.sessions)):
            material = load(db, session)
            for number, seal in enumerate(material.seals):
                seal.head_hash = chain.heads(session, (row.raw for row in material.span.rows))[
                    seal.record_count
                ]
                if seal.gun_next:
                    seal.gun_digest = below[seal.gun_next].hex()
                seal.seal = chain.seal_digest(session, seal, material.seals[:number])
                overwrite_seal(db, seal)


def an_intent(store: Store) -> int:
    with store._database.read() as db:
        query = select(RECORD.sequence).where(RECORD.kind == RecordKind.SHOT_INTENT)
        return min(db.scalars(query))


def test_what_the_gun_wrote_fits_its_hash(
    store: Store, sessions: list[Session], board: Board
) -> None:
    assert [problems(store, session) for session in sessions] == [[], [], []]
    proof = store.verify_gun(BOARD, board.gun_hash())
    assert proof == (1, board.sequence - 1, ())


@pytest.mark.req("R41")
def test_a_store_that_was_rewritten_as_a_whole_is_found_by_the_gun_alone(
    store: Store, sessions: list[Session], board: Board
) -> None:
    sequence = an_intent(store)
    rewrite(store, sequence)
    assert ProblemKind.GUN_HASH in problems(store, sessions[0])
    assert problems(store, sessions[1]) == []
    seal_all_again(store)
    assert [problems(store, session) for session in sessions] == [[], [], []]
    proof = store.verify_gun(BOARD, board.gun_hash())
    (found,) = proof.breaks
    assert (found.last, found.missing) == (board.sequence - 1, ())


def test_the_stretch_that_was_changed_is_named(
    store: Store, sessions: list[Session], board: Board
) -> None:
    sequence = an_intent(store)
    rewrite(store, sequence)
    (found,) = store.verify_gun(BOARD, board.gun_hash()).breaks
    assert found.first <= sequence <= found.last
    assert str(found) == f"records {found.first} to {found.last}"
    problem = next(
        each for each in store.verify(sessions[0].id).problems if each.kind is ProblemKind.GUN_HASH
    )
    assert str(found) in problem.text


def test_records_that_are_gone_from_the_store_are_named(
    store: Store, sessions: list[Session], board: Board
) -> None:
    sequence = an_intent(store)
    with store._database.write() as db:
        db.execute(text(f"delete from records where sequence = {sequence}"))
    (found,) = store.verify_gun(BOARD, board.gun_hash()).breaks
    assert f"of which {sequence} are not stored" in str(found)
    assert ProblemKind.GUN_HASH in problems(store, sessions[0])


@pytest.mark.req("R40")
def test_a_torn_record_is_no_break(store: Store, board: Board) -> None:
    session = store.create_session(new_session(session_id=9))
    board.acknowledge()
    board.start(session)
    board.intent(0)
    board.sequence += 1
    board.boot()
    give(store, board)
    store.seal_session(session.id, gun_hash=board.gun_hash())
    assert problems(store, session) == [ProblemKind.GAP]
    assert store.verify_gun(BOARD, board.gun_hash()).breaks == ()


@pytest.mark.usefixtures("sessions")
def test_what_the_gun_still_holds_is_compared_too(store: Store, board: Board) -> None:
    board.acknowledge()
    board.boot()
    assert store.verify_gun(BOARD, board.gun_hash(), board.journal).breaks == ()
    forgotten = store.verify_gun(BOARD, board.gun_hash())
    assert [each.last for each in forgotten.breaks] == [board.sequence - 1]


def test_the_end_of_a_session_is_under_the_next_acknowledgement(store: Store, board: Board) -> None:
    session = store.create_session(new_session(session_id=9))
    board.start(session)
    board.shots(2)
    board.end()
    end = board.sequence - 1
    board.acknowledge()
    give(store, board)
    store.seal_session(session.id)
    assert problems(store, session) == []
    with store._database.write() as db:
        record = decode_record(stored(db, end))
        overwrite(db, end, encode_record(*record[:4], record.time_ms + 1, **record.body))
    assert ProblemKind.GUN_HASH in problems(store, session)


def test_an_older_gun_has_no_hash_to_compare(store: Store, board: Board) -> None:
    session = store.create_session(new_session(session_id=9))
    for _ in range(2):
        board.write(RecordKind.ACKNOWLEDGED, sequence=board.sequence, digest=DIGEST_NONE)
        board.digest = next_digest(DIGEST_NONE, board.journal[-1])
        board.start(session)
    give(store, board)
    assert ProblemKind.GUN_HASH not in problems(store, session)
    assert store.verify_gun(BOARD, board.gun_hash()).breaks == ()


@pytest.mark.usefixtures("sessions")
def test_a_store_that_begins_in_the_middle_is_proven_from_there(store: Store, board: Board) -> None:
    with store._database.write() as db:
        db.execute(text("delete from records where sequence < 10"))
    proof = store.verify_gun(BOARD, board.gun_hash())
    assert proof.breaks == ()
    assert proof.first is not None
    assert proof.first > 10
    assert proof.last == board.sequence - 1
    assert store.verify_gun("00" * 8, GunHash(1, DIGEST_NONE.hex())) == (None, None, ())


@pytest.mark.usefixtures("sessions")
def test_a_damaged_acknowledgement_tells_nothing(store: Store, board: Board) -> None:
    with store._database.write() as db:
        query = select(RECORD.sequence).where(RECORD.kind == RecordKind.ACKNOWLEDGED)
        damaged = min(db.scalars(query.where(RECORD.sequence > 10)))
        overwrite(db, damaged, bytes(32))
    assert len(store.verify_gun(BOARD, board.gun_hash()).breaks) == 1


def test_a_hash_that_does_not_cover_the_session_is_not_sealed(store: Store, board: Board) -> None:
    session = store.create_session(new_session(session_id=9))
    board.start(session)
    board.shots(2)
    early = board.gun_hash()
    board.end()
    give(store, board)
    assert store.seal_session(session.id, gun_hash=early).gun_next is None


@pytest.mark.usefixtures("sessions")
def test_a_gun_that_tells_another_hash(store: Store, board: Board) -> None:
    (found,) = store.verify_gun(BOARD, GunHash(board.sequence, "11" * 12)).breaks
    assert found.last == board.sequence - 1


@pytest.mark.usefixtures("sessions")
def test_the_last_number_of_a_board(store: Store, board: Board) -> None:
    assert store.last_sequence(BOARD) == board.sequence - 1
    assert store.last_sequence("00" * 8) == 0
    with pytest.raises(RecordError):
        store.last_sequence("x")
