import multiprocessing
import multiprocessing.connection
import os
import signal
from pathlib import Path

import pytest

from adapters.scratch import ScratchFolders


def test_a_folder_is_private_empty_and_gone_afterwards(tmp_path: Path) -> None:
    scratch = ScratchFolders(tmp_path / "data" / "fetched")

    with scratch.folder() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert list(folder.iterdir()) == []
        (folder / "recording").touch()

    assert list(scratch.root.iterdir()) == []


def test_folders_in_use_are_left_alone(tmp_path: Path) -> None:
    scratch = ScratchFolders(tmp_path)

    with scratch.folder() as one, ScratchFolders(tmp_path).folder() as other, scratch.folder():
        assert one.exists()
        assert other.exists()


@pytest.mark.process
def test_the_next_use_removes_the_folder_of_a_killed_process(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_use_for_good, args=(tmp_path, theirs))
    process.start()
    left = Path(ours.recv())
    with ScratchFolders(tmp_path).folder():
        assert left.exists()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()

    with ScratchFolders(tmp_path).folder():
        assert not left.exists()


def _use_for_good(root: Path, pipe: "multiprocessing.connection.Connection[str, None]") -> None:
    with ScratchFolders(root).folder() as folder:
        (folder / "recording").touch()
        pipe.send(str(folder))
        signal.pause()
