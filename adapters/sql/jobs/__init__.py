"""Jobs in a database."""
