"""Outbox, idempotency keys and deduplication on SQLite and PostgreSQL; the only package with SQL."""
