import re

import pytest

from adapters.speech.decoding.versions import ffmpeg_version, has_known_holes


def test_ffmpeg_tells_its_version() -> None:
    assert re.search(r"\d+\.\d+", ffmpeg_version())


@pytest.mark.parametrize(
    ("version", "has_holes"),
    [
        ("7.1.9", True),
        ("8.1", True),
        ("8.1.2", True),
        ("n8.1.2-4-gabcdef", True),
        ("9.0", True),
        ("9.0.1", True),
        ("git-2026-11-01-abcdef", True),
        ("", True),
        ("8.1.3", False),
        ("8.2", False),
        ("n9.0.2", False),
        ("9.1", False),
        ("10.0", False),
    ],
)
def test_only_what_is_known_to_be_mended_has_no_holes(version: str, has_holes: bool) -> None:  # noqa: FBT001 - the example's answer
    assert has_known_holes(version) is has_holes
