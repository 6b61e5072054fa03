"""What people told stands in the record, under its seals."""

import json

import pytest
from sqlalchemy import text

from mesogun.errors import RecordError
from mesogun.records import ProblemKind, Session, Store

TOLD = {"allergy": "no", "operator": "Dr. Élan"}


def change(store: Store, statement: str) -> None:
    with store._database.write() as db:
        db.execute(text(statement))


@pytest.fixture
def noted(store: Store, make_session) -> Session:
    session = store.create_session(make_session(id="abcdefgh"), [("checklist", TOLD)])
    store.add_note("abcdefgh", "prime", {"volume_nl": 50_000})
    return session


def test_notes_are_kept_in_their_order_and_exported(store: Store, noted: Session):
    notes = store.session_view(noted.id).notes
    assert [(note.kind, note.fields) for note in notes] == [
        ("checklist", TOLD),
        ("prime", {"volume_nl": 50_000}),
    ]
    exported = json.loads(store.export(noted.id, "json"))["notes"]
    assert [(each["kind"], each["content"]) for each in exported] == [
        (note.kind, note.fields) for note in notes
    ]
    assert store.verify(noted.id).ok


def test_a_session_without_notes_is_sealed_as_ever(store: Store, make_session):
    store.create_session(make_session(id="abcdefgh"))
    with store._database.read() as db:
        assert db.execute(text("select note_count, note_head from seals")).all() == [(None, None)]
    assert store.verify("abcdefgh").ok


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("update notes set content = replace(content, 'no', 'yes')", ProblemKind.ALTERED),
        ("update notes set made_at = '2020' where number = 0", ProblemKind.ALTERED),
        ("update notes set number = 5 - number", ProblemKind.ALTERED),
        ("delete from notes where number = 1", ProblemKind.REMOVED),
        ("delete from notes", ProblemKind.REMOVED),
        (
            "insert into notes select session, 2, kind, content, made_at from notes limit 1",
            ProblemKind.ALTERED,
        ),
        ("update seals set note_count = null, note_head = null", ProblemKind.SESSION),
        ("delete from seals where number = 1", ProblemKind.ALTERED),
    ],
)
def test_a_note_that_is_changed_afterwards_is_found(store: Store, noted: Session, statement, kind):
    change(store, statement)
    report = store.verify(noted.id)
    assert kind in {problem.kind for problem in report.problems}
    with pytest.raises(RecordError, match="verify"):
        store.add_note(noted.id, "prime", {})
    with pytest.raises(RecordError, match="verify"):
        store.seal_session(noted.id)


def test_a_note_of_one_session_is_none_of_another(store: Store, noted: Session, make_session):
    other = store.create_session(make_session(id="bcdefghj", session_id=noted.session_id + 1))
    assert store.session_view(other.id).notes == ()
