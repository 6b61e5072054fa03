"""Layout 3: a patient reference can be erased without breaking the seals."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make room; sessions and seals that are there stay as they were made."""
    op.add_column("sessions", sa.Column("patient_salt", sa.String(64)))
    op.add_column("sessions", sa.Column("patient_digest", sa.String(64)))
    # The seals so far cover the reference itself.
    op.add_column("seals", sa.Column("form", sa.BigInteger, nullable=False, server_default="1"))
