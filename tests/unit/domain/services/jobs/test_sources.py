"""Recordings on their way into the store."""

import hashlib
from pathlib import Path
from threading import Event

import pytest

from adapters.files.recordings import FolderRecordingStore
from adapters.scratch import ScratchFolders
from domain.model.errors import EmptyRecordingError, SourceRefusedError
from domain.services.jobs.sources import RecordingSources
from ports.recording_source_port import RecordingSourcePort
from tests.support.samples.jobs import an_owner


class _Source(RecordingSourcePort):
    """Source with one recording."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.checked: list[str] = []
        self.cancelled: list[Event] = []

    def check(self, url: str, /) -> None:
        self.checked.append(url)

    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:  # noqa: ARG002 - there is one
        self.cancelled.append(cancelled)
        target.write_bytes(self._content)


def sources(folder: Path, content: bytes = b"RIFF") -> tuple[RecordingSources, _Source]:
    source = _Source(content)
    store = FolderRecordingStore(folder / "store", owner=an_owner())
    return RecordingSources(store, {"https": source}, ScratchFolders(folder / "fetched").folder), source


def test_a_recording_is_fetched_into_the_store_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    fetching, source = sources(tmp_path)
    cancelled = Event()

    stored = fetching.fetch("https://media.example.com/a.wav", cancelled)

    assert stored.sha256 == hashlib.sha256(b"RIFF").hexdigest()
    assert (tmp_path / "store" / stored.key).read_bytes() == b"RIFF"
    assert list((tmp_path / "fetched").iterdir()) == []
    assert source.cancelled == [cancelled]


def test_an_empty_recording_is_not_stored(tmp_path: Path) -> None:
    fetching, _ = sources(tmp_path, b"")

    with pytest.raises(EmptyRecordingError):
        fetching.fetch("https://media.example.com/a.wav", Event())

    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("url", ["HTTPS://media.example.com/", "https://[malformed/"])
def test_the_scheme_alone_chooses_the_source_and_the_source_judges_the_rest(tmp_path: Path, url: str) -> None:
    fetching, source = sources(tmp_path)

    fetching.check(url)

    assert source.checked == [url]


@pytest.mark.parametrize(
    "url", ["http://a.example/", "file:///etc/passwd", "ht\ntps://a.example/", "a.wav", ""]
)
def test_a_scheme_without_a_source_is_refused_with_the_schemes_that_have_one(
    tmp_path: Path, url: str
) -> None:
    fetching, _ = sources(tmp_path)

    with pytest.raises(SourceRefusedError, match="it may be https"):
        fetching.check(url)
