"""Checks and documents of the operator's commands."""
