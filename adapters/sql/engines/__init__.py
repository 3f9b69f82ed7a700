"""SQLite and PostgreSQL, each set up so that what was committed stays."""
