"""Partial indexes, in the state after all migrations.

Separate from the tables: PostgreSQL's condition loads its dialect, which takes a tenth of a start on SQLite.
"""

from sqlalchemy import Column, ColumnElement, Index

from adapters.sql.schema.tables import (
    HAS_KEPT_TEXTS,
    HAS_KEY,
    IS_ACTIVE,
    IS_FINISHED,
    IS_PENDING,
    IS_PROCESSING,
    IS_RENAMED,
    IS_SETTLED,
    IS_WAITING,
    erasures,
    jobs,
    metadata,
    outbox,
)

__all__ = ["metadata"]


def _index(name: str, rows: ColumnElement[bool], *columns: Column[object], is_unique: bool = False) -> None:
    """Define a partial index for both databases."""
    Index(name, *columns, sqlite_where=rows, postgresql_where=rows, unique=is_unique)


_index("outbox_waiting", IS_WAITING, outbox.c.due_at, outbox.c.lease_until, outbox.c.added_at)
_index("outbox_settled", IS_SETTLED, outbox.c.state, outbox.c.settled_at)
# the same columns as above: SQLite prefers an index with more columns to one with fewer rows
_index("outbox_texts", HAS_KEPT_TEXTS, outbox.c.state, outbox.c.settled_at)
# by tenant first: a claim goes from tenant to tenant, and takes the oldest free job of each
_index(
    "jobs_active",
    IS_ACTIVE,
    jobs.c.tenant_id,
    jobs.c.created_at,
    jobs.c.id,
    jobs.c.queue,
    jobs.c.state,
    jobs.c.due_at,
    jobs.c.lease_until,
)
_index("jobs_leased", IS_PROCESSING, jobs.c.tenant_id, jobs.c.lease_until)
_index("jobs_finished", IS_FINISHED, jobs.c.finished_at)
_index("jobs_keys", HAS_KEY, jobs.c.key_scope, jobs.c.key_hash, is_unique=True)
Index("jobs_of_tenant", jobs.c.tenant_id, jobs.c.created_at, jobs.c.id)
Index("jobs_recordings", jobs.c.recording_key)
_index("jobs_renamed", IS_RENAMED, jobs.c.event_id)
_index("erasures_pending", IS_PENDING, erasures.c.interaction_id)
