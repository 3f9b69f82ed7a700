"""Jobs, and the results of their finished units."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create both tables with their indexes."""
    op.create_table("jobs", *_identity(), *_progress(), *_times(), *_ownership(), *_order(), *_end())
    op.create_table(
        "job_units",
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("result", sa.Text, nullable=False),
    )
    _create_partial_index(
        "jobs_active",
        ["tenant_id", "created_at", "id", "queue", "state", "due_at", "lease_until"],
        "state IN ('queued', 'processing')",
    )
    _create_partial_index("jobs_finished", ["finished_at"], "finished_at IS NOT NULL")
    _create_partial_index("jobs_keys", ["key_scope", "key_hash"], "key_hash IS NOT NULL", unique=True)
    op.create_index("jobs_of_tenant", "jobs", ["tenant_id", "created_at", "id"])
    op.create_index("jobs_recordings", "jobs", ["recording_key"])
    if op.get_bind().dialect.name == "postgresql":  # a job is updated about once a second
        op.execute("ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.01)")


def _identity() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("queue", sa.String(16), nullable=False),
    )


def _progress() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16)),
        sa.Column("done_seconds", sa.Double, nullable=False),
        sa.Column("total_seconds", sa.Double),
        sa.Column("eta_seconds", sa.Double),
        sa.Column("revision", sa.Integer, nullable=False),
    )


def _times() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("finished_at", sa.Double),
    )


def _ownership() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("token", sa.Uuid),
        sa.Column("failures", sa.Integer, nullable=False),
    )


def _order() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("event_id", sa.Uuid),
        sa.Column("retry_of", sa.Uuid),
        sa.Column("retried_as", sa.Uuid),
        sa.Column("key_scope", sa.Uuid),
        sa.Column("key_hash", sa.String(64)),
        sa.Column("fingerprint", sa.Text),
        sa.Column("recording_key", sa.Text),
        sa.Column("recording_sha256", sa.String(64)),
        sa.Column("recording_size", sa.BigInteger),
        sa.Column("source_url", sa.Text),
        sa.Column("event_kinds", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
    )


def _end() -> tuple[sa.Column[object], ...]:
    return (sa.Column("problem", sa.Text), sa.Column("result", sa.Text))


def _create_partial_index(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, "jobs", columns, unique=unique, sqlite_where=where, postgresql_where=where)
