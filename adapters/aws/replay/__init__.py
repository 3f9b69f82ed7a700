"""Replays of an event archive, and the rules that they pass."""
