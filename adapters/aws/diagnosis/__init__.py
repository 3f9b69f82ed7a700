"""Diagnosis of bus, rule, target and queue."""
