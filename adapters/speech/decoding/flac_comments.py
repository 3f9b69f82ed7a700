"""Limit of comments in a flac: FFmpeg compares each with all before it, which may take minutes."""

from pathlib import Path
from typing import BinaryIO

from adapters.speech.decoding.tags import end_of_tags
from domain.model.errors import UndecodableAudioError

MAX_COMMENTS = 10_000
"""Number that FFmpeg reads in a second; twice as many take four times as long."""

_MAX_BLOCKS = 1_000
_COMMENT_BLOCK = 4
_LAST_BLOCK = 0x80


def check_comments(recording: Path) -> None:
    """Refuse a flac with too many comments (RFC 9639, 8.6).

    Raises:
        UndecodableAudioError: more than `MAX_COMMENTS`, or too many blocks of metadata.
    """
    with recording.open("rb") as file:
        file.seek(end_of_tags(file) + len(b"fLaC"))
        if _comments(file) > MAX_COMMENTS:
            raise UndecodableAudioError(f"The flac has more than {MAX_COMMENTS:,} comments.")


def _comments(file: BinaryIO) -> int:
    comments = 0
    for _ in range(_MAX_BLOCKS):
        header = file.read(4)
        if len(header) < 4:  # noqa: PLR2004 - a broken file, which FFmpeg will report
            return comments
        end = file.tell() + int.from_bytes(header[1:], "big")
        if header[0] & ~_LAST_BLOCK == _COMMENT_BLOCK:
            file.seek(_number(file), 1)  # skip the vendor string
            comments += _number(file)
        if header[0] & _LAST_BLOCK:
            return comments
        file.seek(end)
    raise UndecodableAudioError(f"The flac has more than {_MAX_BLOCKS:,} blocks of metadata.")


def _number(file: BinaryIO) -> int:
    return int.from_bytes(file.read(4), "little")
