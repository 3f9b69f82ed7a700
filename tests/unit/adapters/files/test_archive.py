"""Archive of dead letters in a folder: durable, private, and never partly written."""

import errno
import os
from pathlib import Path

import pytest

from adapters.files.archive import FolderArchive
from domain.model.errors import ArchiveError
from tests.contracts.dead_letter_archive_port import DeadLetterArchivePortContract, Ground, a_message


class TestFolderArchive(DeadLetterArchivePortContract):
    @pytest.fixture
    def archive(self, tmp_path: Path) -> Ground:
        (tmp_path / "a-file").touch()
        folder = tmp_path / "a" / "b"
        return Ground(FolderArchive(folder), FolderArchive(folder), FolderArchive(tmp_path / "a-file"))


def test_archived_messages_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    FolderArchive(tmp_path / "letters").keep(a_message("a"))

    assert (tmp_path / "letters").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "letters" / "a.json").stat().st_mode & 0o777 == 0o600


def test_a_file_and_its_folder_are_synchronised_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronised: list[str] = []
    honest = os.fsync

    def fsync(handle: int) -> None:
        synchronised.append(Path(f"/proc/self/fd/{handle}").resolve().suffix)
        honest(handle)

    monkeypatch.setattr(os, "fsync", fsync)

    FolderArchive(tmp_path).keep(a_message("a"))

    assert synchronised == [".partial", ""]


@pytest.mark.parametrize("function", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_error_leaves_the_earlier_file_and_no_partial_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    archive = FolderArchive(tmp_path)
    archive.keep(a_message("a", receive_count=3))

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(function, fail)
        with pytest.raises(ArchiveError, match=r"a\.json was not written: No space left"):
            archive.keep(a_message("a", receive_count=7))

    assert [message.receive_count for message in archive.messages()] == [3]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_that_reads_back_differently_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"something else")

    with pytest.raises(ArchiveError, match="does not hold what was written"):
        FolderArchive(tmp_path).keep(a_message())


def test_other_files_are_ignored_and_broken_messages_named(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.keep(a_message("a"))
    (tmp_path / "notes.txt").write_text("ours", encoding="utf-8")
    (tmp_path / ".half.partial").touch()
    assert len(list(archive.messages())) == 1

    (tmp_path / "b.json").write_text('{"body": 7}', encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"b\.json is no archived message"):
        list(archive.messages())
