"""Doubles of playback copies."""

from uuid import UUID

from domain.model.errors import NotAudioError
from domain.model.jobs import StoredRecording
from ports.playback_port import CopyRefusal, PlaybackCopy, PlaybackPort


class FixedPlayback(PlaybackPort):
    """Answers each request for a copy alike, and starts no process for it."""

    def __init__(self, answer: PlaybackCopy | CopyRefusal | Exception | None = None) -> None:
        self._answer = answer or NotAudioError("The upload is no recording.")

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def copy(self, _job_id: UUID, _recording: StoredRecording, /) -> PlaybackCopy | CopyRefusal:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def forget(self, job_id: UUID, /) -> None:
        pass
