"""Index of the published events whose texts are still stored."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index; it stays empty if texts are dropped on publication."""
    where = sa.text("state = 'published' AND event IS NOT NULL")
    op.create_index(
        "outbox_texts", "outbox", ["state", "settled_at"], sqlite_where=where, postgresql_where=where
    )
