"""A patient reference can be erased for good, and nothing else of the record gives way."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mesogun.errors import RecordError
from mesogun.records import ProblemKind, Seal, Session, Store, chain
from mesogun.records.chain import ERASABLE
from mesogun.records.tables import SEAL_FORM
from tests.records.old_layouts import back_to_layout_1

BOARD = "e6614104037a5b2c"
REFERENCE = "P-1952-quince"


def recorded(store: Store, board: Any, session: Session) -> Session:
    """Store a session of two shots, sealed."""
    store.create_session(session)
    board.boot()
    board.syringe()
    board.start(session)
    board.shots(2)
    board.end()
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    return session


def change(store: Store, statement: str) -> None:
    with store._database.write() as db:
        assert db.execute(text(statement)).rowcount > 0


def session_problems(store: Store, name: str) -> list[str]:
    return [each.text for each in store.verify(name).problems if each.kind is ProblemKind.SESSION]


@pytest.fixture
def treated(store: Store, board: Any, make_session: Callable[..., Session]) -> Session:
    return recorded(store, board, make_session(patient_ref=REFERENCE))


@pytest.mark.parametrize("column", sorted({each.name for each in fields(Session)} - set(ERASABLE)))
def test_every_column_that_cannot_be_erased_is_sealed(treated: Session, column: str) -> None:
    seal = Seal(session=treated.id, number=0, sealed_at="", record_count=0, head_hash="", status="")
    before = chain.seal_digest(treated, seal, [])
    setattr(treated, column, b"other" if column == "program_wire" else "other")
    assert chain.seal_digest(treated, seal, []) != before


def test_an_erased_reference_is_gone_and_the_record_still_proven(
    store: Store, treated: Session
) -> None:
    before = store.verify(treated.id)
    assert before.ok
    assert not before.patient_erased
    assert store.erase_patient(REFERENCE) == [treated.id]
    after = store.verify(treated.id)
    assert after.ok
    assert after.patient_erased
    assert after.record_hash == before.record_hash
    session = store.find_session(treated.id)
    assert (session.patient_ref, session.patient_salt) == (None, None)
    assert session.patient_digest is not None
    assert store.list_sessions(patient_ref=REFERENCE) == []
    assert store.erase_patient(REFERENCE) == []


def test_erasing_takes_one_reference_from_all_its_sessions_and_from_no_other(
    store: Store, board: Any, make_session: Callable[..., Session]
) -> None:
    sessions = [
        recorded(store, board, make_session(patient_ref=reference, session_id=number))
        for number, reference in enumerate([REFERENCE, "P-1", REFERENCE, None], start=1)
    ]
    assert store.erase_patient(REFERENCE) == [sessions[0].id, sessions[2].id]
    assert all(store.verify(each.id).ok for each in sessions)
    assert [each.patient_erased for each in map(store.verify, (s.id for s in sessions))] == [
        True,
        False,
        True,
        False,
    ]
    assert store.find_session(sessions[1].id).patient_ref == "P-1"


def test_an_erased_reference_stands_nowhere_in_the_files(
    store: Store, treated: Session, tmp_path: Path
) -> None:
    def hits() -> list[str]:
        files = tmp_path.glob("records.db*")
        return [each.name for each in files if REFERENCE.encode() in each.read_bytes()]

    salt = treated.patient_salt
    assert salt is not None
    assert hits()
    store.erase_patient(REFERENCE)
    assert hits() == []
    assert not any(salt.encode() in each.read_bytes() for each in tmp_path.glob("records.db*"))


def test_a_store_in_use_is_erased_and_says_what_may_be_left(
    store: Store, store_url: str, treated: Session
) -> None:
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as reader:
        reader.execute("pragma busy_timeout = 0")
        reader.execute("begin")
        reader.execute("select count(*) from sessions").fetchone()
        with (
            Store.open(store_url, busy_timeout_s=0.01) as impatient,
            pytest.raises(RecordError, match="is in use by another program"),
        ):
            impatient.erase_patient(REFERENCE)
    assert store.find_session(treated.id).patient_erased
    assert store.erase_patient(REFERENCE) == []  # cleans what the first one could not


def test_a_reference_that_was_changed_put_in_or_half_erased_is_found(
    store: Store, treated: Session
) -> None:
    for statement in (
        "update sessions set patient_ref = 'P-2'",
        "update sessions set patient_ref = null",
        "update sessions set patient_ref = 'P-2', patient_salt = null",
    ):
        kept = (treated.patient_ref, treated.patient_salt)
        change(store, statement)
        assert session_problems(store, treated.id) == [
            "The patient reference is not the one that was sealed."
        ]
        with store._database.write() as db:
            db.execute(
                text("update sessions set patient_ref = :ref, patient_salt = :salt"),
                {"ref": kept[0], "salt": kept[1]},
            )
        assert store.verify(treated.id).ok
    store.erase_patient(REFERENCE)
    change(store, "update sessions set patient_digest = '00'")
    assert session_problems(store, treated.id)


@pytest.fixture
def old(any_url: str, board: Any, make_session: Callable[..., Session]) -> str:
    """A store that the first version has left, with one session of `REFERENCE`: its URL."""
    with Store.open(any_url) as store:
        recorded(store, board, make_session(id="abcdefgh", patient_ref=REFERENCE))
        back_to_layout_1(store._database)
    return any_url


def test_a_session_of_an_older_store_is_proven_erased_and_proven_again(old: str) -> None:
    with Store.open(old) as store:
        assert store.verify("abcdefgh").ok
        assert store.find_session("abcdefgh").patient_digest is None
        assert store.erase_patient(REFERENCE) == ["abcdefgh"]
        report = store.verify("abcdefgh")
        assert report.ok
        assert report.patient_erased
        assert store.seal_session("abcdefgh").form == SEAL_FORM


@pytest.mark.parametrize(
    "statement",
    [
        "update seals set record_count = 3 where number = 0",
        "update seals set sealed_at = '2020' where number = 1",
        "update seals set seal = '00' where number = 0",
        "update sessions set operator = 'Dr. Hyde'",
        "delete from seals where number = 2",
    ],
)
def test_what_an_older_seal_said_is_still_proven_after_erasing(old: str, statement: str) -> None:
    with Store.open(old) as store:
        store.erase_patient(REFERENCE)
        change(store, statement)
        assert session_problems(store, "abcdefgh")


def test_erasing_does_not_hide_that_an_older_session_was_changed(old: str) -> None:
    with Store.open(old) as store:
        change(store, "update sessions set operator = 'Dr. Hyde'")
        assert session_problems(store, "abcdefgh")
        assert store.erase_patient(REFERENCE) == ["abcdefgh"]
        assert session_problems(store, "abcdefgh")


def test_the_copy_from_before_an_upgrade_is_named(
    store: Store, store_url: str, board: Any, make_session: Callable[..., Session]
) -> None:
    recorded(store, board, make_session(patient_ref=REFERENCE))
    back_to_layout_1(store._database)
    with Store.open(store_url) as upgraded:
        [copy] = upgraded.backups()
        assert copy.name == "records-layout-1.db"
        upgraded.erase_patient(REFERENCE)
        assert REFERENCE.encode() in copy.read_bytes()
    with Store.open("sqlite://") as elsewhere:
        assert elsewhere.backups() == []
