"""The outbox in a database."""
