"""Factories of objects that need more than a constructor."""
