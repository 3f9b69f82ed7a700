"""Erasures in a database."""
