"""Checks that are too disruptive or too slow for the tests: `make chaos` and `make mutants`."""
