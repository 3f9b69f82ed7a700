"""Tables, in the state after all migrations; times are seconds since 1970, by the database's clock.

The partial indexes are in `adapters.sql.schema.indexes`.
"""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    literal_column,
    select,
)

from domain.model.outbox import OutboxState

SCHEMA_REVISION = "0010"
"""The newest migration, known without importing Alembic, which is slow."""

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("interaction_id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("state", String(16), nullable=False),
    Column("added_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("lease_until", Double, nullable=False),  # in the past: no lease
    Column("token", Uuid),
    Column("attempts", Integer, nullable=False),
    Column("settled_at", Double),  # time of publication or rejection
    Column("event_id", Text),
    Column("reason", Text),
    Column("event", Text),  # JSON; NULL once its texts are dropped. Late, so that SQLite can skip it
    Column("traceparent", String(64)),  # W3C Trace Context of the request; NULL without tracing
    Column("user_id", Text),  # outlives the event, so that a user's events are found; NULL in old rows
)

IS_WAITING = outbox.c.state == literal_column(f"'{OutboxState.WAITING}'")
"""A literal, not a parameter: a partial index serves only a condition with the same text."""

IS_SETTLED = outbox.c.settled_at.is_not(None)

HAS_KEPT_TEXTS = (outbox.c.state == literal_column(f"'{OutboxState.PUBLISHED}'")) & outbox.c.event.is_not(
    None
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant_id", Uuid, key="scope", primary_key=True),  # older versions stored the tenant there
    Column("key_hash", String(64), primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("token", Uuid, nullable=False),
    Column("expires_at", Double, nullable=False, index=True),  # of the lease, then of the answer
    Column("answer", Text),  # JSON; NULL while the first request is in progress
    # the interaction of the answer, as the next two; "tenant_id" is taken
    Column("interaction_id", Uuid),
    Column("owner_tenant_id", Uuid),
    Column("owner_user_id", Text),
    Index("idempotency_keys_interactions", "interaction_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("interaction_id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("erased_at", Double, nullable=False),
    Column("recording_key", Text),  # of a recording that may still be stored
    # from then on, no process writes an object of the interaction again; NULL: no object is left
    Column("pending_until", Double),
)
"""Tombstones, kept for good."""

IS_PENDING = erasures.c.pending_until.is_not(None)


def is_erased(interaction_id: ColumnElement[UUID] | UUID) -> ColumnElement[bool]:
    """Check for the tombstone of an interaction, a condition for any statement."""
    return select(erasures.c.interaction_id).where(erasures.c.interaction_id == interaction_id).exists()


jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("account_id", Text),
    Column("queue", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", String(16)),
    Column("done_seconds", Double, nullable=False),
    Column("total_seconds", Double),
    Column("eta_seconds", Double),
    Column("revision", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("due_at", Double, nullable=False),
    Column("lease_until", Double, nullable=False),  # in the past: no lease
    Column("token", Uuid),
    Column("failures", Integer, nullable=False),
    Column("event_id", Uuid),
    Column("retry_of", Uuid),
    Column("retried_as", Uuid),
    Column("key_scope", Uuid),
    Column("key_hash", String(64)),
    Column("fingerprint", Text),
    Column("recording_key", Text),
    Column("recording_sha256", String(64)),
    Column("recording_size", BigInteger),
    Column("source_url", Text),
    Column("event_kinds", Text, nullable=False),  # with commas
    Column("options", Text, nullable=False),  # JSON, as the next four
    Column("metadata", Text, key="caller_metadata", nullable=False),
    Column("warnings", Text, nullable=False),
    Column("problem", Text),
    Column("result", Text),  # the transcript; late, so that SQLite can skip it
    Column("traceparent", String(64)),  # of the request, as above
)

IS_ACTIVE = jobs.c.state.in_([literal_column("'queued'"), literal_column("'processing'")])
"""Jobs that have not ended; literals, as above."""

IS_PROCESSING = jobs.c.state == literal_column("'processing'")

HAS_KEY = jobs.c.key_hash.is_not(None)

IS_RENAMED = jobs.c.event_id != jobs.c.id
"""Jobs whose event has another interaction id, as theirs was taken; they are rare."""

IS_FINISHED = jobs.c.finished_at.is_not(None)

job_units = Table(
    "job_units",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    Column("result", Text, nullable=False),  # JSON
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(8), primary_key=True),  # the public part of the key
    Column("secret_hash", String(64), nullable=False),  # SHA-256 of the secret part, in hexadecimal digits
    Column("tenant_id", Uuid, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # with commas
    Column("label", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),  # NULL: never
    Column("revoked_at", Double),
    Column("last_used_at", Double),  # written at most once a minute by each process
    Column("session_of", String(8)),  # id of the key that a browser has traded for this one; else NULL
    Index("api_keys_of_tenant", "tenant_id", "created_at", "id"),
)

installation = Table(
    "installation",
    metadata,
    Column("id", Uuid, primary_key=True),  # of this database, in its only row
)

event_holds = Table(
    "event_holds",
    metadata,
    Column("consumer_group", String(80), primary_key=True),
    Column("interaction_id", Uuid, primary_key=True),
    Column("replay", String(64), primary_key=True),  # empty: not from a replay
    Column("detail_type", String(128), primary_key=True),
    Column("token", Uuid, nullable=False),
    Column("expires_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

processed_events = Table(
    "processed_events",
    metadata,
    Column("consumer_group", String(80), primary_key=True),
    Column("interaction_id", Uuid, primary_key=True),
    Column("replay", String(64), primary_key=True),
    Column("detail_type", String(128), primary_key=True),
    Column("expires_at", Double, nullable=False, index=True),  # end of the retention
    sqlite_with_rowid=False,
)
