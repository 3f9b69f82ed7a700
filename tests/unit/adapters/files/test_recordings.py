from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files.recordings import FolderRecordingStore
from domain.model.errors import RecordingStoreUnavailableError
from tests.contracts.recording_store_port import RecordingStorePortContract, Store, recording

__all__ = ["recording"]


OWNER = "0f" * 16


def stored_in(folder: Path, owner: str = OWNER) -> FolderRecordingStore:
    return FolderRecordingStore(folder, owner=lambda: owner)


class TestFolderRecordingStore(RecordingStorePortContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        folder, no_folder = tmp_path / "store", tmp_path / "file"
        no_folder.touch()
        return Store(stored_in(folder), stored_in(folder), stored_in(no_folder), stored_in(folder, "1e" * 16))


def test_files_of_others_in_the_folder_are_no_recordings(tmp_path: Path, recording: Path) -> None:
    folder = tmp_path / "store"
    (folder / "music").mkdir(parents=True)
    (folder / "thesis.pdf").touch()
    part = f"{OWNER}-{'ab' * 16}.part"
    for name in (part, "ab" * 16, "ab" * 16 + ".part"):
        (folder / name).touch()
    store = stored_in(folder)

    key = store.put(recording)

    assert set(store.keys(older_than_seconds=-60.0)) == {key, part}


def test_a_file_that_disappears_during_a_listing_is_left_out(tmp_path: Path, recording: Path) -> None:
    store = stored_in(tmp_path / "store")
    key = store.put(recording)
    (tmp_path / "store" / f"{OWNER}-{'ab' * 16}").symlink_to(tmp_path / "gone")  # is listed, and has no times

    assert list(store.keys(older_than_seconds=-60.0)) == [key]


def test_a_folder_that_is_away_is_an_outage_and_no_loss(tmp_path: Path, recording: Path) -> None:
    store = stored_in(tmp_path / "store")
    key = store.put(recording)
    (tmp_path / "store").rename(tmp_path / "unmounted")

    with pytest.raises(RecordingStoreUnavailableError, match="No such file or directory"), store.fetched(key):
        pytest.fail("a recording is provided from a folder that is away")


@pytest.mark.parametrize("deletion", [FolderRecordingStore.delete, FolderRecordingStore.erase])
def test_nothing_is_deleted_from_a_folder_that_is_away(
    tmp_path: Path, recording: Path, deletion: Callable[[FolderRecordingStore, str], object]
) -> None:
    folder, away = tmp_path / "store", tmp_path / "unmounted"
    store = stored_in(folder)
    key = store.put(recording)
    folder.rename(away)

    with pytest.raises(RecordingStoreUnavailableError, match="No such file or directory"):
        deletion(store, key)

    away.rename(folder)
    assert list(store.keys(older_than_seconds=-60.0)) == [key]
    deletion(store, key)
    assert list(store.keys(older_than_seconds=-60.0)) == []
