"""Figures, always as ratios or limits measured in one run. `make bench` runs them all."""
