"""The outbox and its like on SQLite and PostgreSQL, behind the ports; the only place that knows SQL."""
