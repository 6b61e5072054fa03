"""Layout 4: what people told or confirmed about a session stands beside it, under its seals."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Make the table of notes, and let seals cover it; those that exist cover none."""
    op.create_table(
        "notes",
        sa.Column("session", sa.String(8), sa.ForeignKey("sessions.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("content", sa.String, nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )
    op.add_column("seals", sa.Column("note_count", sa.BigInteger))
    op.add_column("seals", sa.Column("note_head", sa.String(64)))
