"""Benchmarks: ratios and limits, measured in one run. `make bench` runs all of them."""
