"""Received events, deduplication keys and processing leases."""
