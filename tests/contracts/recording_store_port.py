"""Contract of `RecordingStorePort`; an adapter binds it with a fixture `store`."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from domain.model.errors import RecordingGoneError, RecordingStoreUnavailableError
from ports.recording_store_port import RecordingStorePort

HOUR = 3600.0
LONG_AGO = 1_000_000_000


@dataclass(frozen=True)
class Store:
    """Store, another process's view of it, one that fails, and another database's view."""

    port: RecordingStorePort
    again: RecordingStorePort
    broken: RecordingStorePort
    others: RecordingStorePort
    """The same place for the processes of another database."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording"
    path.write_bytes(b"RIFF\x00\xff")
    return path


class RecordingStorePortContract:
    """Suite for the adapters of `RecordingStorePort`."""

    def test_a_recording_comes_back_whole_to_another_process(self, store: Store, recording: Path) -> None:
        content = recording.read_bytes()

        key = store.port.put(recording)
        recording.unlink(missing_ok=True)

        with store.again.fetched(key) as file:
            assert file.read_bytes() == content

    def test_a_recording_may_be_fetched_again_and_at_the_same_time(
        self, store: Store, recording: Path
    ) -> None:
        content = recording.read_bytes()
        key = store.port.put(recording)

        with store.port.fetched(key):
            pass
        with store.port.fetched(key) as one, store.again.fetched(key) as other:
            assert one.read_bytes() == other.read_bytes() == content

    def test_each_recording_has_its_own_key(self, store: Store, tmp_path: Path) -> None:
        files = [tmp_path / f"recording-{number}" for number in range(6)]
        for file in files:
            file.write_text(file.name)

        with ThreadPoolExecutor(3) as threads:
            keys = list(threads.map(store.port.put, files))

        with ExitStack() as stack:
            stored = [stack.enter_context(store.port.fetched(key)).read_text() for key in keys]
        assert stored == [f"recording-{number}" for number in range(6)]

    def test_a_recording_that_is_deleted_has_gone(self, store: Store, recording: Path) -> None:
        key = store.port.put(recording)

        store.port.delete(key)

        with pytest.raises(RecordingGoneError), store.again.fetched(key):
            pytest.fail("a deleted recording is provided")

    def test_a_recording_that_is_not_there_can_be_deleted(self, store: Store, recording: Path) -> None:
        key = store.port.put(recording)

        store.port.delete(key)
        store.again.delete(key)

    def test_a_recording_that_was_never_stored_has_gone(self, store: Store, recording: Path) -> None:
        store.port.put(recording)

        with pytest.raises(RecordingGoneError), store.port.fetched(uuid4().hex):
            pytest.fail("a recording is provided that was never stored")

    def test_keys_are_those_of_recordings_that_are_old_enough(self, store: Store, recording: Path) -> None:
        key = store.port.put(recording)

        assert list(store.again.keys(older_than_seconds=-HOUR)) == [key]
        assert list(store.again.keys(older_than_seconds=HOUR)) == []

    def test_keys_are_those_of_the_own_database_alone(self, store: Store, recording: Path) -> None:
        """A search for recordings without a job would delete those of another database's jobs."""
        other = recording.with_name("other")
        other.write_bytes(b"other")

        ours, theirs = store.port.put(recording), store.others.put(other)

        assert list(store.again.keys(older_than_seconds=-60.0)) == [ours]
        assert list(store.others.keys(older_than_seconds=-60.0)) == [theirs]

    def test_a_new_recording_from_an_old_file_is_new(self, store: Store, recording: Path) -> None:
        os.utime(recording, (LONG_AGO, LONG_AGO))
        store.port.put(recording)

        assert list(store.again.keys(older_than_seconds=HOUR)) == []

    def test_recordings_may_be_deleted_while_they_are_listed(self, store: Store, tmp_path: Path) -> None:
        files = [tmp_path / f"recording-{number}" for number in range(5)]
        for file in files:
            file.write_text(file.name)
        stored = {store.port.put(file) for file in files}
        listed = set()

        for key in store.port.keys(older_than_seconds=-HOUR):
            store.port.delete(key)
            listed.add(key)

        assert listed == stored

    def test_a_download_that_is_cancelled_ends_with_an_error_and_no_other_does(
        self, store: Store, recording: Path
    ) -> None:
        content, cancelled = recording.read_bytes(), Event()
        key = store.port.put(recording)
        cancelled.set()

        with suppress(RecordingStoreUnavailableError), store.port.fetched(key, cancelled) as file:
            assert file.read_bytes() == content, "nothing had to be downloaded"
        with store.port.fetched(key, Event()) as file:
            assert file.read_bytes() == content

    def test_an_error_in_the_context_is_the_callers(self, store: Store, recording: Path) -> None:
        key = store.port.put(recording)

        with pytest.raises(OSError, match="of the caller"), store.port.fetched(key):
            raise OSError("of the caller")

    def test_an_erased_recording_is_gone_and_no_other(self, store: Store, recording: Path) -> None:
        content = recording.read_bytes()
        erased = store.port.put(recording)
        recording.write_bytes(content)
        other = store.port.put(recording)

        for _ in range(2):
            assert store.port.erase(erased) is None

        with pytest.raises(RecordingGoneError), store.port.fetched(erased):
            pytest.fail("an erased recording is provided")
        assert list(store.port.keys(older_than_seconds=-60)) == [other]

    def test_an_empty_store_has_no_keys(self, store: Store) -> None:
        assert list(store.port.keys(older_than_seconds=0.0)) == []

    def test_a_store_that_fails_says_so_at_each_call(self, store: Store, recording: Path) -> None:
        with pytest.raises(RecordingStoreUnavailableError):
            store.broken.put(recording)
        with pytest.raises(RecordingStoreUnavailableError), store.broken.fetched(uuid4().hex):
            pytest.fail("a recording is provided by a store that fails")
        with pytest.raises(RecordingStoreUnavailableError):
            store.broken.delete(uuid4().hex)
        with pytest.raises(RecordingStoreUnavailableError):
            store.broken.erase(uuid4().hex)
        with pytest.raises(RecordingStoreUnavailableError):
            _exhaust(store.broken.keys(older_than_seconds=0.0))


def _exhaust(keys: Iterator[str]) -> None:
    for _ in keys:
        pass
