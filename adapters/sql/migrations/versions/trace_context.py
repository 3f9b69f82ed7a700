"""Trace context of the request that an event or a job comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column to both tables; earlier rows have no context."""
    for table in ("outbox", "jobs"):
        op.add_column(table, sa.Column("traceparent", sa.String(64)))
