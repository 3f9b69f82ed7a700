"""Subtitles: the words of a transcript, cut to what can be read while they are spoken."""
