"""Transcription: a recording's speech in units, recognised side by side, checked, and joined again."""
