"""Run by Alembic: migrates through the connection, and in the transaction, of whoever called."""

from alembic import context

from adapters.sql.schema.indexes import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
