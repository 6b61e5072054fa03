"""Opens the database behind a store, runs transactions in it and words its errors for people."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_data_dir
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, orm, select
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from mesogun.errors import RecordError
from mesogun.records.tables import STORE_VERSION, Base, StoreVersion

_WRITING = "mesogun_writing"

_SQLITE_TEXTS = {
    "BUSY": "is locked by another program. Wait until that one is done, then try again.",
    "LOCKED": "is locked by another program. Wait until that one is done, then try again.",
    "READONLY": "is read-only. Give yourself the right to write it and its folder, or name another "
    "store in MESOGUN_DB.",
    "PERM": "may not be opened by you. Change its rights, or name another store in MESOGUN_DB.",
    "FULL": "cannot grow, the disk is full; nothing of this step was stored. Free some space, then "
    "run `mesogun sessions sync`.",
    "NOTADB": "is not a record store: the file is no SQLite database. Name another in MESOGUN_DB.",
    "CORRUPT": "is damaged: SQLite cannot read its pages. Restore it from a backup.",
}


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
            f"The folder {folder} for the record store cannot be made ({error.strerror}). "
            "Name another store in MESOGUN_DB, such as sqlite:////path/records.db."
        ) from error
    return URL.create("sqlite", database=str(folder / "records.db")).render_as_string()


class Database:
    """An engine whose transactions raise `RecordError` and nothing of SQLAlchemy."""

    def __init__(self, url: str, busy_timeout_s: float) -> None:
        """Open the database and make the tables in an empty one.

        Args:
            url: any SQLAlchemy URL.
            busy_timeout_s: how long to wait for another program's lock on a SQLite file, seconds.

        Raises:
            RecordError: if it cannot be opened or holds something else.
        """
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise RecordError(
                f"{url!r} is not the URL of a database. "
                "A file is named like this: sqlite:////folder/records.db"
            ) from None
        self.name = self.url.render_as_string(hide_password=True)
        self.engine = self._engine(busy_timeout_s)
        self._writer = self.engine.execution_options(**{_WRITING: True})
        try:
            self._prepare()
        except BaseException:
            self.engine.dispose()
            raise

    def _engine(self, busy_timeout_s: float) -> Engine:
        is_sqlite = self.url.get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"timeout": busy_timeout_s} if is_sqlite else {}
        try:
            engine = create_engine(self.url, connect_args=arguments)
        except (SQLAlchemyError, ImportError) as error:
            raise RecordError(
                f"No driver for the record store {self.name}: {error}. "
                "Install it, or name a SQLite file."
            ) from error
        if is_sqlite:
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _prepare(self) -> None:
        with self.read() as db:
            if self._version_checked(db):
                return
        with self.write() as db:
            if not self._version_checked(db):
                Base.metadata.create_all(db.connection())
                db.add(StoreVersion(version=STORE_VERSION))

    def _version_checked(self, db: orm.Session) -> bool:
        """Tell whether the tables are there; refuse those of another version or program."""
        tables = inspect(db.connection()).get_table_names()
        if not tables:
            return False
        if StoreVersion.__tablename__ not in tables:
            raise RecordError(
                f"The database {self.name} belongs to something else: it has the table "
                f"{tables[0]!r} but none of mesogun's. Name an empty one in MESOGUN_DB."
            )
        version = db.scalar(select(StoreVersion.version))
        if version != STORE_VERSION:
            raise RecordError(
                f"The record store {self.name} has layout {version}, this mesogun reads layout "
                f"{STORE_VERSION}. Use the version of mesogun that wrote it, or name another store."
            )
        return True

    @contextmanager
    def read(self) -> Generator[orm.Session]:
        """Run a transaction that only reads."""
        with self._translated(), orm.Session(self.engine, expire_on_commit=False) as db:
            yield db

    @contextmanager
    def write(self) -> Generator[orm.Session]:
        """Run a transaction that is stored whole when the block ends, or not at all."""
        with (
            self._translated(),
            orm.Session(self._writer, expire_on_commit=False) as db,
            db.begin(),
        ):
            yield db

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise RecordError(f"The record store {self.name} {self._reason(error)}") from error

    def _reason(self, error: Exception) -> str:
        if isinstance(error, IntegrityError):
            return (
                "took the same rows from another program at this moment; nothing was stored twice. "
                "Try again."
            )
        cause: BaseException = (error.orig or error) if isinstance(error, DBAPIError) else error
        code = str(getattr(cause, "sqlite_errorname", "")).removeprefix("SQLITE_").split("_")[0]
        folder = Path(self.url.database or "").parent
        if code == "CANTOPEN" and not folder.is_dir():
            return f"cannot be opened: there is no folder {folder}. Make it first."
        return _SQLITE_TEXTS.get(code, f"cannot be used: {cause}")


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by its own rules, after the first read of one; see below.
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock before it reads: otherwise two of them read, and the one that writes
    # second fails at once however long it was ready to wait.
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
