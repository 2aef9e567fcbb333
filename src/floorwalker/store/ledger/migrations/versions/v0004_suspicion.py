"""How suspicious a decision makes its subject, and the subjects of a day."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the column and the indexes; rows of before are of nobody suspected."""
    op.add_column("decisions", sa.Column("suspicion", sa.Float(), nullable=True))
    is_suspected = sa.text("suspicion IS NOT NULL")
    op.create_index(
        "ix_decisions_suspected",
        "decisions",
        ["decided_at", "shop", "subject", "suspicion"],
        unique=False,
        sqlite_where=is_suspected,
        postgresql_where=is_suspected,
    )
    op.create_index(
        op.f("ix_decisions_shop_subject_decided_at"), "decisions", ["shop", "subject", "decided_at"], unique=False
    )
