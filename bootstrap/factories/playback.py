"""Playback copies, which need no part of the transcriber."""

from functools import partial

from adapters.scratch import ScratchFolders
from adapters.speech.copies.copies import PlaybackCopies
from adapters.speech.copies.maker import CopyMaker
from bootstrap.factories.jobs import room_check
from bootstrap.settings import Settings
from ports.playback_port import PlaybackPort
from ports.recording_store_port import RecordingStorePort


def playback_copies(settings: Settings, recordings: RecordingStorePort) -> PlaybackPort:
    """Build the copies of this process, below the folder of uploads."""
    scratch = ScratchFolders(settings.spool_dir / "playback")
    has_room = partial(room_check(scratch.root, settings.min_free_bytes), 0)
    maker = CopyMaker(
        max_audio_seconds=settings.max_audio_seconds,
        stall_seconds=settings.transcriber_stall_seconds,
        has_room=has_room,
    )
    return PlaybackCopies(recordings, maker, scratch, has_room=has_room)
