"""Tables of the deduplication: leases on events, and completed events."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of leases and the table of completed events."""
    op.create_table(
        "event_holds",
        *_key(),
        sa.Column("token", sa.Uuid, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "processed_events",
        *_key(),
        sa.Column("expires_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_processed_events_expires_at", "processed_events", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":  # every event is inserted and deleted there
        op.execute("ALTER TABLE event_holds SET (autovacuum_vacuum_scale_factor = 0.01)")


def _key() -> tuple[sa.Column[str], ...]:
    return (
        sa.Column("consumer_group", sa.String(80), primary_key=True),
        sa.Column("interaction_id", sa.Uuid, primary_key=True),
        sa.Column("replay", sa.String(64), primary_key=True),
    )
