"""Replays of an event archive, and their rules."""
