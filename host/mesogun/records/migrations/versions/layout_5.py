"""Layout 5: a seal holds what the gun's own running hash was."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Make room; the seals that are there know of no such hash."""
    op.add_column("seals", sa.Column("gun_next", sa.BigInteger))
    op.add_column("seals", sa.Column("gun_digest", sa.String(24)))
