"""What cannot be opened, read or written is said in words that tell the next act."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from mesogun.errors import RecordError
from mesogun.records import ClockMapping, Session, Store
from mesogun.records.database import _postgresql_options, default_url
from mesogun.records.tables import STORE_VERSION

BOARD = "e6614104037a5b2c"


def test_a_store_survives_its_process(store_url: str, make_session: Callable[..., Session]) -> None:
    with Store.open(store_url) as store:
        made = store.create_session(make_session())
    with Store.open(store_url) as store:
        assert store.list_sessions() == [made]
        assert store.verify(made.id).ok


def test_sqlite_is_set_up_for_power_cuts_and_readers(store: Store) -> None:
    with store._database.read() as db:
        found = {
            name: db.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOGUN_DB", f"sqlite:///{tmp_path / 'named.db'}")
    with Store.open() as store:
        assert store.name.endswith("named.db")
    assert (tmp_path / "named.db").exists()


def test_the_default_is_a_file_of_this_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESOGUN_DB", raising=False)
    monkeypatch.setattr(
        "mesogun.records.database.user_data_dir", lambda *_, **__: str(tmp_path / "new" / "data")
    )
    assert default_url().startswith("sqlite:///")
    with Store.open():
        assert (tmp_path / "new" / "data" / "records.db").exists()


def test_a_data_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESOGUN_DB", raising=False)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        "mesogun.records.database.user_data_dir", lambda *_, **__: str(tmp_path / "file" / "data")
    )
    with pytest.raises(RecordError, match=r"cannot be made .* MESOGUN_DB"):
        Store.open()


def test_a_locked_store(store_url: str, board: Any) -> None:
    board.boot()
    Store.open(store_url).close()
    other = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("begin immediate")
    with Store.open(store_url, busy_timeout_s=0) as waiting:
        assert waiting.list_sessions() == []
        with pytest.raises(RecordError, match="is locked by another program"):
            waiting.ingest(BOARD, board.journal)
        other.execute("rollback")
        other.close()
        assert waiting.ingest(BOARD, board.journal).stored == 1


def test_two_programs_that_store_the_same_row_at_once(store: Store) -> None:
    with (
        pytest.raises(RecordError, match="took the same rows from another program"),
        store._database.write() as db,
    ):
        db.execute(text(f"insert into mesogun_store values ({STORE_VERSION})"))


def test_a_read_only_store_can_be_read(store_url: str, finished: Session, board: Any) -> None:
    path = store_url.removeprefix("sqlite:///")
    with Store.open(f"sqlite:///file:{path}?mode=ro&uri=true") as reader:
        assert reader.verify(finished.id).ok
        with pytest.raises(RecordError, match="is read-only"):
            reader.seal_session(finished.id, ClockMapping(1.0e9, 1.0))
        board.boot()
        with pytest.raises(RecordError, match="is read-only"):
            reader.ingest(BOARD, board.journal)


def test_a_full_disk_stores_nothing_of_the_step(store: Store, board: Any) -> None:
    board.shots(500)

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("pragma max_page_count = 20").close()

    event.listen(store._database.engine, "connect", limit)
    store.close()
    with pytest.raises(RecordError, match="the disk is full; nothing of this step was stored"):
        store.ingest(BOARD, board.journal)
    with store._database.read() as db:
        assert db.exec_driver_sql("select count(*) from records").scalar() == 0


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir, " * 200)
    with pytest.raises(RecordError, match="the file is no SQLite database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear Sir")


def test_a_damaged_file(store_url: str, make_session: Callable[..., Session], board: Any) -> None:
    board.shots(500)
    with Store.open(store_url) as store:
        store.create_session(make_session())
        store.ingest(BOARD, board.journal)
    path = Path(store_url.removeprefix("sqlite:///"))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(RecordError, match="is damaged: SQLite cannot read its pages"):
        Store.open(store_url)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"there is no folder .*missing\. Make it first"):
        Store.open(f"sqlite:///{tmp_path}/missing/records.db")


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be used: unable to open database file"):
        Store.open(f"sqlite:///{tmp_path}")


def test_a_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "music.db"
    with sqlite3.connect(path) as other:
        other.execute("create table songs (title text)")
    other.close()
    with pytest.raises(RecordError, match="belongs to something else: it has the table 'songs'"):
        Store.open(f"sqlite:///{path}")


def test_a_store_of_another_layout(store_url: str, store: Store) -> None:
    with store._database.write() as db:
        db.exec_driver_sql(f"update mesogun_store set version = {STORE_VERSION + 1}")
    with pytest.raises(RecordError, match=f"has layout {STORE_VERSION + 1}, .* {STORE_VERSION}"):
        Store.open(store_url)


@pytest.mark.parametrize("url", ["records.db", "", "/var/lib/records.db"])
def test_what_is_no_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOGUN_DB", "no url either")
    with pytest.raises(RecordError, match="is not the URL of a database"):
        Store.open(url)


def test_a_driver_that_is_not_installed_and_a_password_that_is_not_told() -> None:
    with pytest.raises(RecordError, match="No driver for the record store") as caught:
        Store.open("nosuchbase://clinic:secret@server/mesogun")
    assert "secret" not in str(caught.value)


def test_a_server_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RecordError, match=r"pip install 'mesogun\[postgresql\]', or name"):
        Store.open("postgresql://clinic@server/mesogun")


def test_what_a_url_says_of_a_server_is_left_as_it_is() -> None:
    url = make_url("postgresql+psycopg://clinic@server/mesogun?connect_timeout=7")
    arguments = _postgresql_options(url, 0.5)["connect_args"]
    assert "connect_timeout" not in arguments
    assert arguments["options"] == "-c lock_timeout=500"
    assert _postgresql_options(url, 0)["connect_args"]["options"] == "-c lock_timeout=1"


def test_a_session_is_read_without_a_look_at_the_others(store: Store, finished: Session) -> None:
    engine = store._database.engine
    asked: list[tuple[str, Any]] = []

    def listen(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    store.session_view(finished.id)
    store.list_sessions(limit=20)
    event.remove(engine, "before_cursor_execute", listen)
    with engine.connect() as connection:
        plans = [
            row[3]
            for statement, parameters in asked
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert "SEARCH records USING INDEX records_by_session (board_id=? AND session_id=?)" in plans
    # Nothing is read whole but the newest sessions, in order, until there are enough.
    assert [plan for plan in plans if plan.startswith("SCAN")] == [
        "SCAN sessions USING INDEX sessions_by_time"
    ]
    # Every search names more than the board.
    assert not [plan for plan in plans if plan.endswith("(board_id=?)")]
