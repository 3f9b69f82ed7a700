"""Playback copies: sound that every browser plays and seeks in, and the peaks of its waveform."""
