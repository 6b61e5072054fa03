"""Brings an older store to today's layout, step by step, within the transaction of its caller.

Each step is an Alembic revision in `migrations`, named by the layout that it leads to. Which layout
a store has stands in its own table `mesogun_store` and not in Alembic's, because every version of
mesogun, the first included, reads it there and refuses what it does not know.
"""

import sqlite3
from contextlib import closing
from itertools import chain, count
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, update

from mesogun.records import tables

_MIGRATIONS = Path(__file__).parent / "migrations"


def newest_layout() -> int:
    """Return the layout that the last step leads to."""
    return int(_scripts().get_current_head() or 0)


def upgrade(connection: Connection, layout: int) -> None:
    """Take every step behind `layout`; a SQLite file is copied first.

    Args:
        connection: in a transaction that writes and will be rolled back if this fails.
        layout: of the store now, 0 for none.
    """
    # First of all, so that of two programs one has to wait and then finds nothing to do.
    connection.execute(update(tables.store_version).values(version=newest_layout()))
    _back_up(connection, layout)
    apply(connection, layout, newest_layout())


def apply(connection: Connection, layout: int, wanted: int) -> None:
    """Take the steps from `layout`, 0 for no tables, to `wanted`."""
    steps = [*_scripts().iterate_revisions(str(wanted), str(layout) if layout else "base")]
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(steps):
            step.module.upgrade()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


def _back_up(connection: Connection, layout: int) -> None:
    """Copy a SQLite file as it was before this transaction, beside it."""
    if connection.dialect.name != "sqlite":
        return
    named = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    if not named:  # in memory
        return
    path = Path(named)
    part = path.with_name(f"{path.name}.part")
    # Another connection, because what it sees is what was there before.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.rename(_free_name(path, layout))


def _free_name(path: Path, layout: int) -> Path:
    """Return a name that tells the layout; an earlier backup is never overwritten."""
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    names = (
        path.with_name(f"{path.stem}-layout-{layout}{suffix}{path.suffix}") for suffix in suffixes
    )
    return next(name for name in names if not name.exists())
