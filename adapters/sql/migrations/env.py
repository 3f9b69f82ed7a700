"""Alembic environment: migrate in the caller's connection and transaction."""

from alembic import context

from adapters.sql.schema.indexes import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
