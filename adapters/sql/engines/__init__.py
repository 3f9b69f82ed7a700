"""SQLAlchemy engines for SQLite and PostgreSQL, set up for durable commits."""
