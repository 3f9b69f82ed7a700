"""The type of an event as part of the keys of the deduplication."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = ("consumer_group", "interaction_id", "replay", "detail_type")
TYPE_OF_EARLIER_EVENTS = "BatchProcessingCompleted"


def upgrade() -> None:
    """Add the type to both tables; all events of earlier versions have the same one."""
    extend = _extend if op.get_bind().dialect.name == "postgresql" else _rebuild
    extend("event_holds", sa.Column("token", sa.Uuid, nullable=False))
    extend("processed_events")


def _extend(table: str, *_columns: "sa.Column[object]") -> None:
    default = sa.text(f"'{TYPE_OF_EARLIER_EVENTS}'")
    op.add_column(table, sa.Column("detail_type", sa.String(128), nullable=False, server_default=default))
    op.alter_column(table, "detail_type", server_default=None)
    op.drop_constraint(f"{table}_pkey", table, type_="primary")
    op.create_primary_key(f"{table}_pkey", table, list(KEY))


def _rebuild(table: str, *columns: "sa.Column[object]") -> None:
    """Copy the rows into a new table: SQLite cannot change a primary key."""
    op.rename_table(table, f"{table}_old")
    op.create_table(
        table,
        sa.Column("consumer_group", sa.String(80), primary_key=True),
        sa.Column("interaction_id", sa.Uuid, primary_key=True),
        sa.Column("replay", sa.String(64), primary_key=True),
        sa.Column("detail_type", sa.String(128), primary_key=True),
        *columns,
        sa.Column("expires_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    others = ", ".join([*(column.name for column in columns), "expires_at"])
    op.execute(
        f"INSERT INTO {table} ({', '.join(KEY)}, {others}) "  # noqa: S608 - names from this module
        f"SELECT {', '.join(KEY[:-1])}, '{TYPE_OF_EARLIER_EVENTS}', {others} FROM {table}_old"
    )
    op.drop_table(f"{table}_old")
    if table == "processed_events":
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])
