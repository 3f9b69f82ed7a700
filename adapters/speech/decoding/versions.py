"""Version of the FFmpeg inside PyAV, which scanners of packages do not see."""

import re

MENDED = "8.1.3 or 9.0.2"
"""First versions without known vulnerabilities that a recording can reach, such as CVE-2026-125267."""


def ffmpeg_version() -> str:
    """Return the version that FFmpeg reports."""
    import av  # noqa: PLC0415 - the caller handles a PyAV that cannot be loaded

    return av.ffmpeg_version_info


def has_known_holes(version: str) -> bool:
    """Check for a version older than `MENDED`; a version that is no number counts as older."""
    found = re.search(r"\d+(\.\d+)+", version)
    numbers = tuple(map(int, found[0].split("."))) if found else ()
    return numbers < ((9, 0, 2) if numbers[:1] == (9,) else (8, 1, 3))
