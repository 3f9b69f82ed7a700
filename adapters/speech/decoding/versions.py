"""The FFmpeg that PyAV brings along; scanners of packages do not see it."""

import re

MENDED = "8.1.3 or 9.0.2"
"""From here on the known holes that a recording can reach are closed, CVE-2026-125267 among them."""


def ffmpeg_version() -> str:
    """The version, as FFmpeg itself tells it."""
    import av  # noqa: PLC0415 - whoever asks survives a PyAV that cannot be loaded

    return av.ffmpeg_version_info


def has_known_holes(version: str) -> bool:
    """Whether it is older than `MENDED`; so is one whose version is no number."""
    found = re.search(r"\d+(\.\d+)+", version)
    numbers = tuple(map(int, found[0].split("."))) if found else ()
    return numbers < ((9, 0, 2) if numbers[:1] == (9,) else (8, 1, 3))
