"""Id of the database, and an index of the leased jobs."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Give the database an id that no other one has; a copy of it has the same."""
    table = op.create_table("installation", sa.Column("id", sa.Uuid, primary_key=True))
    op.bulk_insert(table, [{"id": uuid4()}])
    where = sa.text("state = 'processing'")
    columns = ["tenant_id", "lease_until"]
    op.create_index("jobs_leased", "jobs", columns, sqlite_where=where, postgresql_where=where)
