"""Playback copies of stored recordings, made in a sandboxed process and kept for a while."""
