"""Accepted formats of recordings: the one list behind error texts, API description and README."""

ACCEPTED_FORMATS = (
    *("wav", "flac", "mp3", "mp2", "m4a", "aac", "mp4", "mov", "3gp", "ogg", "opus", "spx", "webm", "mkv"),
    *("amr", "aiff", "caf", "w64", "au", "wma", "ac3", "gsm"),
)
"""Names of the formats, as files of them are usually named."""

ACCEPTED = f"{', '.join(ACCEPTED_FORMATS[:-1])} and {ACCEPTED_FORMATS[-1]}"
"""The list as a part of a sentence."""
