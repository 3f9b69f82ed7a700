"""Metrics for Prometheus: decorators around ports, and figures that are read at the scrape."""
