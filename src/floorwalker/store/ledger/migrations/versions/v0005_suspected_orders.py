"""Orders that were suspected, so that what is done about them later is found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the index."""
    is_suspected = sa.text("suspicion IS NOT NULL AND order_id IS NOT NULL")
    op.create_index(
        "ix_decisions_suspected_orders",
        "decisions",
        ["decided_at", "shop", "order_id", "subject", "suspicion"],
        unique=False,
        sqlite_where=is_suspected,
        postgresql_where=is_suspected,
    )
