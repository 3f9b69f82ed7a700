"""The outbox and the idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create both tables with their indexes."""
    _create_outbox()
    _create_idempotency_keys()


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("interaction_id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("token", sa.Uuid),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("settled_at", sa.Double),
        sa.Column("event_id", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("event", sa.Text),
    )
    _create_partial_index("outbox_waiting", ["due_at", "lease_until", "added_at"], "state = 'waiting'")
    _create_partial_index("outbox_settled", ["state", "settled_at"], "settled_at IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":  # every event is updated at least twice
        op.execute("ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01)")


def _create_partial_index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "outbox", columns, sqlite_where=where, postgresql_where=where)


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("token", sa.Uuid, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("answer", sa.Text),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
