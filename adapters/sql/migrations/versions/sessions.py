"""Sessions of browsers, which are API keys that end with another one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the id of the key that a browser has traded for a session."""
    op.add_column("api_keys", sa.Column("session_of", sa.String(8)))
