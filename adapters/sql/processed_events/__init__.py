"""Which events a group of consumers has processed, in a database."""
