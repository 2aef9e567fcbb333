"""Of which orders somebody was suspected, beside of whom."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make an index that knows orders in place of the one that does not."""
    op.drop_index("ix_decisions_suspected", "decisions")
    is_suspected = sa.text("suspicion IS NOT NULL")
    op.create_index(
        "ix_decisions_suspected_orders",
        "decisions",
        ["decided_at", "shop", "subject", "order_id", "suspicion"],
        unique=False,
        sqlite_where=is_suspected,
        postgresql_where=is_suspected,
    )
