"""Checks that are too rough or too slow for the tests: `make chaos` and `make mutants`."""
