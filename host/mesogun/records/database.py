"""Opens the database behind a store and runs transactions in it."""

import math
import os
import random
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from platformdirs import user_data_dir
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mesogun.errors import RecordError
from mesogun.records import tables
from mesogun.records.failures import in_words, is_collision
from mesogun.records.tables import STORE_VERSION
from mesogun.words import _

_WRITING = "mesogun_writing"

_ATTEMPTS = 10
"""Each one that collides does so because another program's transaction succeeded; between them lie
up to 5 s in all."""

_POSTGRESQL_DRIVER = "postgresql+psycopg"

_AGAIN_S = 0.01

_SILENCE_MS = 10_000
"""A server that acknowledges nothing for so long is gone; left alone, TCP takes a quarter hour."""

_T = TypeVar("_T")


def default_url() -> str:
    """Return MESOGUN_DB, or a SQLite file in this user's data folder, which is made if missing."""
    named = os.environ.get("MESOGUN_DB")
    if named:
        return named
    folder = Path(user_data_dir("mesogun", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            _(
                "The folder {folder} for the record store cannot be made ({reason}). Name another "
                "store in MESOGUN_DB, such as sqlite:////path/records.db."
            ).format(folder=folder, reason=error.strerror)
        ) from error
    return URL.create("sqlite", database=str(folder / "records.db")).render_as_string()


class Database:
    """An engine whose transactions raise `RecordError` and nothing of SQLAlchemy.

    A transaction sees the database as it was when it began, whatever others do meanwhile: that is
    how SQLite works, and REPEATABLE READ in PostgreSQL.
    """

    def __init__(self, url: str, busy_timeout_s: float) -> None:
        """Open the database, make the tables in an empty one and bring those of an older one up.

        Args:
            url: any SQLAlchemy URL.
            busy_timeout_s: how long to wait for another program's lock, and for a server to answer,
                seconds.

        Raises:
            RecordError: if it cannot be opened, is newer or holds something else.
        """
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise RecordError(
                _(
                    "{url} is not the URL of a database. A file is named like this: "
                    "sqlite:////folder/records.db"
                ).format(url=repr(url))
            ) from None
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername=_POSTGRESQL_DRIVER)
        self.name = self.url.render_as_string(hide_password=True)
        self.engine = self._engine(busy_timeout_s)
        self._writer = self.engine.execution_options(**{_WRITING: True})
        try:
            with self.read() as db:
                layout = self._layout(db)
            if layout != STORE_VERSION:
                self._transact(self._bring_up)
        except BaseException:
            self.engine.dispose()
            raise

    def _engine(self, busy_timeout_s: float) -> Engine:
        backend = self.url.get_backend_name()
        options: dict[str, Any] = {}
        if backend == "sqlite":
            options["connect_args"] = {"timeout": busy_timeout_s}
        elif backend == "postgresql":
            options = _postgresql_options(self.url, busy_timeout_s)
        try:
            engine = create_engine(self.url, **options)
        except (SQLAlchemyError, ImportError) as error:
            fix = (
                "pip install 'mesogun[postgresql]'" if backend == "postgresql" else _("Install it")
            )
            raise RecordError(
                _(
                    "No driver for the record store {store}: {error}. {fix}, or name a SQLite file."
                ).format(store=self.name, error=error, fix=fix)
            ) from error
        if backend == "sqlite":
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _bring_up(self, db: Connection) -> None:
        layout = self._layout(db)
        if layout is None:
            tables.prepare_for(self.url.get_backend_name())
            tables.metadata.create_all(db)
            db.execute(insert(tables.store_version), {"version": STORE_VERSION})
        elif layout < STORE_VERSION:
            # Takes longer to import than all else here, and is needed once a release at most.
            from mesogun.records.upgrade import upgrade

            upgrade(db, layout)

    def _layout(self, db: Connection) -> int | None:
        """Return the layout of the tables, None if there are none; refuse what cannot be read."""
        found = inspect(db).get_table_names()
        if not found:
            return None
        if tables.store_version.name not in found:
            raise RecordError(
                _(
                    "The database {store} belongs to something else: it has the table {table} but "
                    "none of mesogun's. Name an empty one in MESOGUN_DB."
                ).format(store=self.name, table=repr(found[0]))
            )
        layout = db.scalar(select(tables.store_version.c.version))
        if layout is None or not 1 <= layout <= STORE_VERSION:
            raise self._strange(layout)
        return layout

    def _strange(self, layout: int | None) -> RecordError:
        return RecordError(
            _(
                "The record store {store} has layout {layout}, this mesogun reads layouts up to "
                "{known}; nothing was changed in it. Use the version of mesogun that wrote it, or "
                "name another store in MESOGUN_DB."
            ).format(store=self.name, layout=layout, known=STORE_VERSION)
        )

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Run a transaction that only reads."""
        with self._translated(), self.engine.connect() as db:
            yield db

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Run a transaction that is stored whole when the block ends, or not at all."""
        with self._translated(), self._writing() as db:
            self._require_layout(db)
            yield db

    def transact(self, act: Callable[[Connection], _T]) -> _T:
        """Run `act` in a writing transaction, and again if another program was faster."""

        def checked(db: Connection) -> _T:
            self._require_layout(db)
            return act(db)

        return self._transact(checked)

    def scrub(self, table: Table) -> None:
        """Overwrite what was erased from a table and still lies in space that is no longer used.

        Raises:
            RecordError: if another program uses the database; what it sees is right all the same.
        """
        with self._translated(), self._writer.connect() as connection:
            if self.url.get_backend_name() == "postgresql":
                quiet = connection.execution_options(isolation_level="AUTOCOMMIT")
                quiet.exec_driver_sql(f"VACUUM FULL {table.name}")
                return
            # Behind SQLAlchemy's back, which would begin a transaction; neither works in one.
            driver: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
            driver.execute("VACUUM").close()
            if driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise RecordError(
                    _(
                        "The record store {store} is in use by another program, so what was erased "
                        "may still lie in a part of its files that is used no more. End the other "
                        "program, then erase again."
                    ).format(store=self.name)
                )

    def backups(self) -> list[Path]:
        """Return the copies of a SQLite file that `upgrade` has made and that are still there."""
        if self.url.get_backend_name() != "sqlite" or not self.url.database:
            return []
        path = Path(self.url.database)
        return sorted(path.parent.glob(f"{path.stem}-layout-*{path.suffix}"))

    def _transact(self, act: Callable[[Connection], _T]) -> _T:
        with self._translated():
            for attempt in range(_ATTEMPTS - 1):
                try:
                    with self._writing() as db:
                        return act(db)
                except SQLAlchemyError as error:
                    if not is_collision(error):
                        raise
                # Of two that go on in step the slower one would lose every time.
                time.sleep(random.uniform(0, _AGAIN_S * 2**attempt))
            with self._writing() as db:
                return act(db)

    def _require_layout(self, db: Connection) -> None:
        """Refuse a store that a newer program has brought up since it was opened."""
        layout = db.scalar(select(tables.store_version.c.version))
        if layout != STORE_VERSION:
            raise self._strange(layout)

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        with self._writer.begin() as db:
            yield db

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise RecordError(
                _("The record store {store} {what}").format(
                    store=self.name, what=in_words(error, self.url)
                )
            ) from error


def _postgresql_options(url: URL, busy_timeout_s: float) -> dict[str, Any]:
    arguments = {
        "connect_timeout": max(2, math.ceil(busy_timeout_s)),  # libpq knows no less
        "options": f"-c lock_timeout={max(1, math.ceil(busy_timeout_s * 1000))}",
        "tcp_user_timeout": _SILENCE_MS,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
    return {
        "connect_args": {name: arguments[name] for name in arguments.keys() - url.query.keys()},
        "isolation_level": "REPEATABLE READ",
        # A server that was restarted is met again without an error.
        "pool_pre_ping": True,
    }


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by its own rules, after the first read of one; see below.
    connection.isolation_level = None
    _use_wal(connection)
    for setting in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Write ahead; SQLite does not wait for another program that does the same to a new file."""
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    until_s = time.monotonic() + patience_ms / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= until_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock before it reads: otherwise two of them read, and the one that writes
    # second fails at once however long it was ready to wait.
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
