"""A store of an older layout is brought up whole or not at all; a newer one is left alone."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from mesogun.errors import RecordError
from mesogun.records import Session, SessionStatus, Store
from mesogun.records import upgrade as steps
from mesogun.records.tables import STORE_VERSION, metadata
from tests.records.old_layouts import back_to_layout_1
from tests.records.postgresql_server import Server

BOARD = "e6614104037a5b2c"
RECORD_HASH = "8a397147632a9245f820a76e96567393627ee45d5266a2056e5d46e98505b60e"


@pytest.fixture
def old_path(tmp_path: Path) -> Path:
    """A store that the first version of mesogun wrote: one session of three shots, sealed."""
    path = tmp_path / "records.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "layout_1.sql").read_text())
        connection.execute("pragma journal_mode=wal")
    return path


def layout_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select version from mesogun_store").fetchone()[0]


def columns_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute("pragma table_info(records)")}


def shape(engine: Any) -> dict[str, Any]:
    """Everything about the tables that two ways of making them might do differently."""
    found = inspect(engine)
    return {
        table: (
            sorted(
                (column["name"], str(column["type"]), column["nullable"])
                for column in found.get_columns(table)
            ),
            found.get_pk_constraint(table)["constrained_columns"],
            sorted(key["constrained_columns"] for key in found.get_foreign_keys(table)),
            sorted(
                (index["name"] or "", index["column_names"], bool(index["unique"]))
                for index in found.get_indexes(table)
            ),
            sorted(each["column_names"] for each in found.get_unique_constraints(table)),
        )
        for table in sorted(found.get_table_names())
    }


def test_the_steps_lead_to_todays_layout(any_url: str) -> None:
    assert steps.newest_layout() == STORE_VERSION
    with Store.open(any_url) as store:
        engine = store._database.engine
        made_at_once = shape(engine)
        with engine.begin() as connection:
            metadata.drop_all(connection)
        with engine.begin() as connection:
            steps.apply(connection, 0, STORE_VERSION)
            difference = compare_metadata(MigrationContext.configure(connection), metadata)
        assert difference == []
        assert shape(engine) == made_at_once


def test_the_first_layout_is_what_the_first_version_made(old_path: Path) -> None:
    engine = create_engine("sqlite://")
    old = create_engine(f"sqlite:///{old_path}")
    with engine.connect() as connection:
        steps.apply(connection, 0, 1)
        assert shape(connection) == shape(old)
    engine.dispose()
    old.dispose()


def test_an_older_store_is_brought_up_and_copied_first(old_path: Path) -> None:
    with Store.open(f"sqlite:///{old_path}") as store:
        view = store.session_view("abcdefgh")
        assert view.status is SessionStatus.ENDED
        assert (view.record_hash, view.shots_delivered) == (RECORD_HASH, 3)
        assert store.verify("abcdefgh").ok
        with store._database.read() as db:
            numbers = db.execute(
                text("select kind, session_id from records where session_id is not null")
            ).all()
        assert numbers == [(3, 0xC0FFEE01)]
    assert layout_of(old_path) == STORE_VERSION
    (backup,) = old_path.parent.glob("*layout*")
    assert backup.name == "records-layout-1.db"
    assert layout_of(backup) == 1
    assert "session_id" not in columns_of(backup)
    Store.open(f"sqlite:///{old_path}").close()
    assert len(list(old_path.parent.glob("*layout*"))) == 1  # once


def test_an_earlier_backup_is_not_overwritten(old_path: Path) -> None:
    kept = old_path.with_name("records-layout-1.db")
    kept.write_text("an earlier one")
    Store.open(f"sqlite:///{old_path}").close()
    assert kept.read_text() == "an earlier one"
    assert layout_of(old_path.with_name("records-layout-1-2.db")) == 1


def test_a_step_that_fails_leaves_the_store_as_it_was(
    old_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = steps.apply

    def broken(connection: Any, layout: int, wanted: int) -> None:
        apply(connection, layout, wanted)
        connection.exec_driver_sql("select no_such_column from records")

    with monkeypatch.context() as patch:
        patch.setattr(steps, "apply", broken)
        with pytest.raises(RecordError, match="no such column"):
            Store.open(f"sqlite:///{old_path}")
    assert layout_of(old_path) == 1
    assert "session_id" not in columns_of(old_path)
    with Store.open(f"sqlite:///{old_path}") as store:
        assert store.verify("abcdefgh").ok


def test_no_backup_no_upgrade(old_path: Path) -> None:
    (old_path.parent / "records.db.part").mkdir()
    with pytest.raises(RecordError, match="unable to open database file"):
        Store.open(f"sqlite:///{old_path}")
    assert layout_of(old_path) == 1


def test_an_older_store_that_is_read_only_is_left_as_it_is(old_path: Path) -> None:
    with pytest.raises(RecordError, match=r"is read-only\. Give yourself the right"):
        Store.open(f"sqlite:///file:{old_path}?mode=ro&uri=true")
    assert layout_of(old_path) == 1


def test_an_older_store_on_a_server_is_brought_up(
    postgresql: Server, make_session: Callable[..., Session], board: Any
) -> None:
    url = postgresql.new_database()
    session = make_session(id="abcdefgh")
    board.boot()
    board.syringe()
    board.start(session)
    board.shots(2)
    board.end()
    with Store.open(url) as store:
        store.create_session(session)
        store.ingest(BOARD, board.journal)
        store.seal_session("abcdefgh")
        back_to_layout_1(store._database)
    with Store.open(url) as store:
        assert store.verify("abcdefgh").ok
        assert store.session_view("abcdefgh").shots_delivered == 2
        with store._database.read() as db:
            assert db.scalar(text("select version from mesogun_store")) == STORE_VERSION
            assert db.execute(text("select session_id from records where kind = 3")).scalar() == (
                0xC0FFEE01
            )


def test_a_store_that_a_newer_program_brings_up_meanwhile_is_not_written(
    store: Store, make_session: Callable[..., Session], board: Any
) -> None:
    store.create_session(make_session())
    with store._database.write() as db:
        db.execute(text(f"update mesogun_store set version = {STORE_VERSION + 1}"))
    board.boot()
    with pytest.raises(RecordError, match=f"has layout {STORE_VERSION + 1}"):
        store.ingest(BOARD, board.journal)
    with pytest.raises(RecordError, match=f"has layout {STORE_VERSION + 1}"):
        store.create_session(make_session(session_id=5))


@pytest.mark.parametrize("layout", [STORE_VERSION + 1, 0])
def test_a_newer_store_is_refused_and_not_changed(any_url: str, layout: int) -> None:
    with Store.open(any_url) as store, store._database.write() as db:
        db.execute(text(f"update mesogun_store set version = {layout}"))
    with pytest.raises(
        RecordError,
        match=rf"has layout {layout}, .* up to {STORE_VERSION}; nothing was changed in it\. Use",
    ):
        Store.open(any_url)
