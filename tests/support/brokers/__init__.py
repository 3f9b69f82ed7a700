"""Brokers for tests, started here or running at a URL."""
