"""Cutting: finds speech in the sound of one voice, and cuts it into units for an engine."""
