"""How the tables came to be: Alembic's folder, carried by the package."""
