"""Layout 1: sessions and their seals, records as guns wrote them, records that contradict them."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "mesogun_store", sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False)
    )
    _create_sessions()
    _create_records()
    op.create_table(
        "seals",
        sa.Column("session", sa.String(8), sa.ForeignKey("sessions.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sealed_at", sa.String(32), nullable=False),
        sa.Column("record_count", sa.BigInteger, nullable=False),
        sa.Column("head_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("clock_epoch_s", sa.Double),
        sa.Column("clock_rate", sa.Double),
        sa.Column("seal", sa.String(64), nullable=False),
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("board_id", sa.String(16), nullable=False),
        sa.Column("boot_id", sa.BigInteger, nullable=False),
        sa.Column("program_name", sa.String, nullable=False),
        sa.Column("program_toml", sa.String, nullable=False),
        sa.Column("program_wire", sa.LargeBinary, nullable=False),
        sa.Column("shots_planned", sa.BigInteger, nullable=False),
        sa.Column("volume_planned_nl", sa.BigInteger, nullable=False),
        sa.Column("syringe", sa.String, nullable=False),
        sa.Column("needle", sa.String, nullable=False),
        sa.Column("pl_per_step", sa.BigInteger, nullable=False),
        sa.Column("calibration_id", sa.BigInteger, nullable=False),
        sa.Column("limit_session_nl", sa.BigInteger, nullable=False),
        sa.Column("limit_shot_nl", sa.BigInteger, nullable=False),
        sa.Column("limit_shots", sa.BigInteger, nullable=False),
        sa.Column("firmware_version", sa.String, nullable=False),
        sa.Column("firmware_build", sa.BigInteger, nullable=False),
        sa.Column("schema_hash", sa.BigInteger, nullable=False),
        sa.Column("gun_kind", sa.String, nullable=False),
        sa.Column("gun_port", sa.String, nullable=False),
        sa.Column("operator", sa.String),
        sa.Column("patient_ref", sa.String),
        sa.Column("seed", sa.BigInteger),
        sa.Column("session_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("board_id", "session_id"),
    )


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("board_id", sa.String(16), primary_key=True),
        sa.Column("boot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.BigInteger, nullable=False),
        sa.Column("raw", sa.LargeBinary(32), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
    )
    op.create_index("records_by_kind", "records", ["board_id", "kind"])
    op.create_table(
        "conflicts",
        sa.Column("board_id", sa.String(16), primary_key=True),
        sa.Column("boot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("raw", sa.LargeBinary(32), primary_key=True),
        sa.Column("received_at", sa.String(32), nullable=False),
    )
