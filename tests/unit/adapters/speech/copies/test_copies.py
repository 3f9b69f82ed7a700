"""Copies of a process: made once, kept for a while, and gone in time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.files.recordings import FolderRecordingStore
from adapters.scratch import ScratchFolders
from adapters.speech.copies.copies import KEEP_SECONDS, MAX_CONCURRENT, PlaybackCopies
from adapters.speech.copies.maker import CopyMaker, NoRoomError
from domain.model.errors import RecordingGoneError, UndecodableAudioError
from domain.model.jobs import StoredRecording
from ports.playback_port import CopyRefusal, PlaybackCopy
from tests.support.databases.databases import Clock
from tests.support.harness.service import eventually
from tests.support.samples.jobs import a_recording, an_owner


class HeldMaker(CopyMaker):
    """Maker in this process, which a test holds and lets go, or whose copies fail."""

    def __init__(self) -> None:
        super().__init__(max_audio_seconds=1.0, stall_seconds=1.0, has_room=lambda: True)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.error: Exception | None = None
        self.seen: list[bytes] = []

    async def make(self, recording: Path, folder: Path) -> PlaybackCopy:
        self.seen.append(recording.read_bytes())
        (folder / "copy.mp4").write_bytes(b"copy of " + self.seen[-1])
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return PlaybackCopy(folder / "copy.mp4", "tag", 1.0, (-1, 1))


class Place:
    """Copies with all that a test controls."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "playback"
        self.store = FolderRecordingStore(folder / "recordings", owner=an_owner())
        self.maker = HeldMaker()
        self.clock = Clock()
        self.has_room = True
        self.copies = self.process()

    def process(self) -> PlaybackCopies:
        """Build the copies of a process."""
        scratch = ScratchFolders(self.root)
        return PlaybackCopies(
            self.store, self.maker, scratch, has_room=lambda: self.has_room, clock=self.clock
        )

    def recording(self, content: bytes) -> StoredRecording:
        """Store a recording."""
        file = self.root.parent / uuid4().hex
        file.write_bytes(content)
        return a_recording()._replace(key=self.store.put(file))

    async def copied(self, job_id: UUID, recording: StoredRecording) -> PlaybackCopy:
        copy = await self.copies.copy(job_id, recording)
        assert isinstance(copy, PlaybackCopy)
        return copy

    def files(self) -> list[bytes]:
        return sorted(file.read_bytes() for file in self.root.rglob("*") if file.is_file())


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    place.copies.start()
    yield place
    await place.copies.stop()


async def test_a_copy_is_made_once_and_handed_out_again(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")

    copies = [await place.copied(job_id, recording) for _ in range(3)]

    assert len(set(copies)) == 1
    assert copies[0].file.read_bytes() == b"copy of sound"
    assert place.maker.seen == [b"sound"]


async def test_requests_at_the_same_time_wait_for_one_process(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")
    place.maker.go_on.clear()
    asked = [asyncio.create_task(place.copied(job_id, recording)) for _ in range(8)]
    await eventually(lambda: place.maker.seen)
    asked.pop().cancel()  # the others do not depend on it

    place.maker.go_on.set()

    assert len(set(await asyncio.gather(*asked))) == 1
    assert place.maker.seen == [b"sound"]


async def test_a_caller_that_leaves_does_not_end_the_work(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")
    place.maker.go_on.clear()
    asked = asyncio.create_task(place.copied(job_id, recording))
    await eventually(lambda: place.maker.seen)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    place.maker.go_on.set()

    await place.copied(job_id, recording)

    assert place.maker.seen == [b"sound"]


async def test_copies_beyond_the_limit_are_refused_until_one_is_made(place: Place) -> None:
    place.maker.go_on.clear()
    working = [
        asyncio.create_task(place.copied(uuid4(), place.recording(b"sound"))) for _ in range(MAX_CONCURRENT)
    ]
    await eventually(lambda: len(place.maker.seen) == MAX_CONCURRENT)
    one_more = (uuid4(), place.recording(b"sound"))

    refused = await place.copies.copy(*one_more)
    place.maker.go_on.set()
    await asyncio.gather(*working)

    assert refused is CopyRefusal.BUSY
    assert isinstance(await place.copies.copy(*one_more), PlaybackCopy)


async def test_a_copy_that_fails_leaves_no_file_and_is_tried_again(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")
    place.maker.error = UndecodableAudioError("It is noise.")

    with pytest.raises(UndecodableAudioError):
        await place.copies.copy(job_id, recording)

    assert place.files() == []
    place.maker.error = None
    assert isinstance(await place.copies.copy(job_id, recording), PlaybackCopy)


async def test_a_recording_that_is_not_stored_is_gone(place: Place) -> None:
    place.recording(b"another")

    with pytest.raises(RecordingGoneError):
        await place.copies.copy(uuid4(), a_recording())

    assert place.files() == []


async def test_a_copy_is_removed_an_hour_after_its_last_use(place: Place) -> None:
    used, unused = (uuid4(), place.recording(b"one")), (uuid4(), place.recording(b"two"))
    for each in (used, unused):
        await place.copied(*each)
    place.clock.advance(KEEP_SECONDS - 1)
    await place.copied(*used)
    await place.copies.sweep()
    both = place.files()
    place.clock.advance(1)

    await place.copies.sweep()

    assert both == [b"copy of one", b"copy of two"]
    assert place.files() == [b"copy of one"]


async def test_a_forgotten_copy_is_removed_at_once(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")
    await place.copied(job_id, recording)

    await place.copies.forget(job_id)
    await place.copies.forget(uuid4())

    assert place.files() == []


async def test_the_work_on_a_forgotten_copy_is_ended_and_its_callers_are_told(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")
    place.maker.go_on.clear()
    asked = asyncio.create_task(place.copies.copy(job_id, recording))
    await eventually(lambda: place.maker.seen)

    await place.copies.forget(job_id)

    with pytest.raises(RecordingGoneError):
        await asked
    assert place.files() == []


async def test_the_end_of_the_service_removes_its_copies_and_ends_its_work(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.copies.start()
    await place.copied(uuid4(), place.recording(b"one"))
    place.maker.go_on.clear()
    asked = asyncio.create_task(place.copies.copy(uuid4(), place.recording(b"two")))
    await eventually(lambda: len(place.maker.seen) == 2)

    await place.copies.stop()

    with pytest.raises(RecordingGoneError):
        await asked
    assert list(place.root.iterdir()) == []


async def test_a_start_removes_what_a_killed_process_left_and_spares_the_living(place: Place) -> None:
    await place.copied(uuid4(), place.recording(b"sound"))
    killed = place.root / "at-work-killed"
    killed.mkdir()
    (killed / "copy.mp4").write_bytes(b"left")
    other = place.process()

    other.start()

    assert place.files() == [b"copy of sound"]
    await other.stop()
    assert place.files() == [b"copy of sound"]


async def test_on_a_full_disk_the_oldest_copies_go_and_then_no_more_is_made(place: Place) -> None:
    await place.copied(uuid4(), place.recording(b"one"))
    place.has_room = False

    refused = await place.copies.copy(uuid4(), place.recording(b"two"))

    assert refused is CopyRefusal.FULL
    assert place.files() == []
    assert place.maker.seen == [b"one"]


async def test_a_disk_that_fills_while_a_copy_is_made_refuses_it(place: Place) -> None:
    place.maker.error = NoRoomError()

    refused = await place.copies.copy(uuid4(), place.recording(b"sound"))

    assert refused is CopyRefusal.FULL
    assert place.files() == []


async def test_a_copy_whose_file_was_removed_is_made_again(place: Place) -> None:
    job_id, recording = uuid4(), place.recording(b"sound")
    first = await place.copied(job_id, recording)
    first.file.unlink()

    again = await place.copied(job_id, recording)

    assert again.file.read_bytes() == b"copy of sound"


async def test_copies_are_for_this_user_alone(place: Place) -> None:
    copy = await place.copied(uuid4(), place.recording(b"sound"))

    assert {folder.stat().st_mode & 0o077 for folder in (place.root, copy.file.parent)} == {0}
