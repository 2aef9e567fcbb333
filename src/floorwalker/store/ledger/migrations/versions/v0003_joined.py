"""Signals that come later, and what calibration asks of decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table and the columns."""
    op.create_table(
        "joined",
        sa.Column("decision_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("shop", sa.String(length=128), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("event_type", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("joined_sequence", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("detector", sa.String(length=64), nullable=True),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.Column("abuse_type", sa.String(length=32), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("signal", sa.Float(), nullable=True),
        sa.Column("risk", sa.Float(), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=True),
        sa.Column("intended", sa.String(length=32), nullable=True),
        sa.Column("is_raised", sa.Boolean(), nullable=True),
        sa.Column("causes_json", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index(op.f("ix_joined_joined_sequence_sequence"), "joined", ["joined_sequence", "sequence"], unique=False)
    op.add_column("decisions", sa.Column("order_id", sa.String(length=200), nullable=True))
    op.add_column("decisions", sa.Column("risks_json", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("scored_by", sa.String(length=64), nullable=True))
    has_order = sa.text("order_id IS NOT NULL")
    op.create_index(
        "ix_decisions_shop_order_id",
        "decisions",
        ["shop", "order_id"],
        unique=False,
        sqlite_where=has_order,
        postgresql_where=has_order,
    )
