"""Doubles of transcription and publishing, with their state on the instance."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from domain.model.errors import EventPublishError, TranscriberBusyError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from domain.model.transcripts import DEFAULT_OPTIONS, Segment, Transcript, TranscriptionOptions
from ports.cleaner_port import CleanedTranscript, CleanerPort
from ports.event_port import EventPort, PublishOutcome, Traceparents
from ports.transcriber_port import Checkpoint, Progress, ProgressListener, TranscriberPort, TranscriberState

SPOKEN = Transcript(
    duration_seconds=3.5,
    segments=(
        Segment(start=0.25, end=1.5, text="um hello"),
        Segment(start=2.0, end=3.25, text="the the world"),
    ),
)


class FailingEventPublisher(EventPort):
    """Transport on which all events fail with the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),  # noqa: ARG002 - nothing is looked at
        traceparents: Traceparents = (),  # noqa: ARG002 - same
    ) -> tuple[PublishOutcome, ...]:
        if isinstance(self._error, EventPublishError):
            return (self._error,) * len(events)
        raise self._error


class HangingEventPublisher(EventPort):
    """Transport that answers only when a test releases it."""

    def __init__(self) -> None:
        self.answer = Event()

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),  # noqa: ARG002 - nothing is looked at
        traceparents: Traceparents = (),  # noqa: ARG002 - same
    ) -> tuple[PublishOutcome, ...]:
        self.answer.wait(60)
        return (Publication(PublicationStatus.PUBLISHED, "late"),) * len(events)


class FixedTranscriber(TranscriberPort):
    """Transcriber with one transcript or error for all recordings; it can be held, and can be full."""

    def __init__(
        self, transcript: Transcript = SPOKEN, *, error: Exception | None = None, capacity: int = 2
    ) -> None:
        self._transcript = transcript
        self.error = error
        self._capacity = capacity
        self._admitted = 0
        self.heard: list[bytes] = []
        self.options: list[TranscriptionOptions] = []
        self.cancelled = 0
        self.held = False
        self._release = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Accept the call of the pool's method."""

    async def stop(self) -> None:
        """Accept the call of the pool's method."""

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,  # noqa: ARG002 - nothing is resumed
    ) -> Transcript:
        self.check_capacity()
        self.options.append(options)
        self._admitted += 1
        try:
            self.heard.append(recording.read_bytes())
            self._loop = asyncio.get_running_loop()
            return await self._transcribe(on_progress)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self._admitted -= 1

    def let_go(self) -> None:
        """Release held recordings, from any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._release.set)

    async def _transcribe(self, on_progress: ProgressListener | None) -> Transcript:
        if self.held:
            await self._release.wait()
        if self.error is not None:
            raise self.error
        if on_progress is not None:
            on_progress(Progress(self._transcript.duration_seconds, self._transcript.duration_seconds))
        return self._transcript

    def check_capacity(self) -> None:
        if self._admitted >= self._capacity:
            raise TranscriberBusyError("All slots are taken.", retry_after_seconds=7)

    def state(self) -> TranscriberState:
        return TranscriberState(1, 1, self._admitted, self._capacity, retry_after_seconds=7)


class CallbackCleaner(CleanerPort):
    """Cleaner that calls a function."""

    def __init__(self, clean: Callable[[str], str] = str.upper) -> None:
        self._clean = clean

    async def clean(self, transcript: Transcript, /) -> CleanedTranscript:
        return CleanedTranscript(self._clean(transcript.text), "callback")
