"""Rows of the store as objects, and objects as its rows.

SQLAlchemy's object mapper would do it too; its import takes a fifth of the time of every command
that reads the store.
"""

from dataclasses import asdict
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Select, Table, insert

from mesogun.records.tables import Note, Seal, Session

Query: TypeAlias = Select[*tuple[Any, ...]]
"""Selects columns of any types."""

_Row = TypeVar("_Row", Session, Note, Seal)


def add(db: Connection, table: Table, *rows: Session | Note | Seal) -> None:
    """Store new rows of a table.

    Raises:
        sqlalchemy.exc.IntegrityError: if the key of one is taken.
    """
    if rows:
        db.execute(insert(table), [asdict(row) for row in rows])


def read(db: Connection, kind: type[_Row], query: Query) -> list[_Row]:
    """Return the rows that `query` selects, which must have every column of `kind`."""
    return [kind(**row) for row in db.execute(query).mappings()]
