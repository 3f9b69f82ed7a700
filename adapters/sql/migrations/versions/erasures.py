"""Tombstones of erased interactions, and columns by which the texts of a user are found."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tombstones; note the interactions of the answers of the last day."""
    op.create_table(
        "erasures",
        sa.Column("interaction_id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("erased_at", sa.Double, nullable=False),
        sa.Column("recording_key", sa.Text),
        sa.Column("pending_until", sa.Double),
    )
    _create_partial_index("erasures_pending", "erasures", "interaction_id", "pending_until IS NOT NULL")
    _create_partial_index("jobs_renamed", "jobs", "event_id", "event_id != id")
    op.add_column("outbox", sa.Column("user_id", sa.Text))
    _own_answers()


def _own_answers() -> None:
    for column in (
        sa.Column("interaction_id", sa.Uuid),
        sa.Column("owner_tenant_id", sa.Uuid),
        sa.Column("owner_user_id", sa.Text),
    ):
        op.add_column("idempotency_keys", column)
    op.create_index("idempotency_keys_interactions", "idempotency_keys", ["interaction_id"])
    value = _value_on_postgresql if op.get_bind().dialect.name == "postgresql" else _value_on_sqlite
    op.execute(
        f"UPDATE idempotency_keys SET interaction_id = {value('interaction_id', 'uuid')}, "  # noqa: S608 - names from this module
        f"owner_tenant_id = {value('tenant_id', 'uuid')}, owner_user_id = {value('user_id', 'text')} "
        "WHERE answer IS NOT NULL"
    )


def _value_on_postgresql(name: str, type_: str) -> str:
    return f"CAST(CAST(answer AS json) ->> '{name}' AS {type_})"


def _value_on_sqlite(name: str, type_: str) -> str:
    text = f"answer ->> '$.{name}'"
    return f"replace({text}, '-', '')" if type_ == "uuid" else text


def _create_partial_index(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
