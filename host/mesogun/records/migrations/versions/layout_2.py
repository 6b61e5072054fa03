"""Layout 2: a session's start and the newest sessions are found without looking at all of them."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_SESSION_START = 3
"""Kind of the records that carry a session's number, u32 little-endian, at byte 12."""

_records = sa.table(
    "records",
    sa.column("board_id", sa.String),
    sa.column("boot_id", sa.BigInteger),
    sa.column("sequence", sa.BigInteger),
    sa.column("kind", sa.BigInteger),
    sa.column("raw", sa.LargeBinary),
    sa.column("session_id", sa.BigInteger),
)


def upgrade() -> None:
    """Write the numbers of sessions beside their starts, and index them and the sessions' times."""
    op.add_column("records", sa.Column("session_id", sa.BigInteger))
    _number_starts(op.get_bind())
    where = sa.text("session_id IS NOT NULL")
    op.create_index(
        "records_by_session",
        "records",
        ["board_id", "session_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_index("sessions_by_time", "sessions", ["created_at"])


def _number_starts(connection: sa.Connection) -> None:
    key = (_records.c.board_id, _records.c.boot_id, _records.c.sequence)
    starts = connection.execute(
        sa.select(*key, _records.c.raw).where(_records.c.kind == _SESSION_START)
    ).all()
    if starts:
        connection.execute(
            sa.update(_records)
            .where(*(column == sa.bindparam(f"its_{column.name}") for column in key))
            .values(session_id=sa.bindparam("its_number")),
            [
                {
                    "its_board_id": board_id,
                    "its_boot_id": boot_id,
                    "its_sequence": sequence,
                    "its_number": int.from_bytes(raw[12:16], "little"),
                }
                for board_id, boot_id, sequence, raw in starts
            ],
        )
