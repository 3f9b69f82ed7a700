import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.downloads import DownloadLimits, save
from domain.model.errors import RecordingStoreUnavailableError, RecordingTooLargeError

ROOMY = DownloadLimits(10, lambda _: True)


def test_the_blocks_are_the_file(tmp_path: Path) -> None:
    assert save([b"abc", b"", b"defghij"], tmp_path / "file", ROOMY) == 10
    assert (tmp_path / "file").read_bytes() == b"abcdefghij"


def test_no_block_is_read_beyond_the_limit(tmp_path: Path) -> None:
    blocks = iter([b"abcdef", b"ghijkl", b"never read"])

    with pytest.raises(RecordingTooLargeError, match="larger than 10 bytes"):
        save(blocks, tmp_path / "file", ROOMY)
    assert next(blocks) == b"never read"


def test_a_disk_that_fills_meanwhile_ends_the_download(tmp_path: Path) -> None:
    room = iter([True, False])

    with pytest.raises(RecordingStoreUnavailableError, match="MIN_FREE_BYTES"):
        save([b"a", b"b"], tmp_path / "file", DownloadLimits(10, lambda _: next(room)))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_an_outage_of_this_machine(tmp_path: Path, number: int) -> None:
    def full() -> Iterator[bytes]:
        yield b"a"
        raise OSError(number, "full")

    with pytest.raises(RecordingStoreUnavailableError, match="DATA_DIR"):
        save(full(), tmp_path / "file", ROOMY)


def test_a_declared_size_is_held_against_both_limits() -> None:
    ROOMY.check(10)
    with pytest.raises(RecordingTooLargeError):
        ROOMY.check(11)
    with pytest.raises(RecordingStoreUnavailableError):
        DownloadLimits(10, lambda size: size < 5).check(5)
