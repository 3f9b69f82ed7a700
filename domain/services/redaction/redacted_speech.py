"""Transcriber and cleaner whose results have no personal data any more (docs/adr/0032)."""

import asyncio
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from domain.model.speech import HeardUnit
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions
from domain.services.redaction.redaction import Redaction
from ports.cleaner_port import CleanedTranscript, CleanerPort
from ports.transcriber_port import Checkpoint, ProgressListener, TranscriberPort, TranscriberState


class RedactedTranscriber(TranscriberPort):
    """Redacts each transcript before anything else sees it, and each unit before it is stored.

    An error of the redactor fails the transcription: nothing leaves without it.
    """

    def __init__(self, transcriber: TranscriberPort, redaction: Redaction) -> None:
        self._transcriber = transcriber
        self._redaction = redaction

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcript:
        """Transcribe, then redact in a thread: hours of speech take a while."""
        units = None if checkpoint is None else RedactedCheckpoint(checkpoint, self._redaction)
        transcript = await self._transcriber.transcribe(
            recording, options=options, on_progress=on_progress, checkpoint=units
        )
        return await asyncio.to_thread(self._redaction.of_transcript, transcript)

    def check_capacity(self) -> None:
        """Check that a recording would be admitted now."""
        self._transcriber.check_capacity()

    def state(self) -> TranscriberState:
        """Return the load of the transcriber."""
        return self._transcriber.state()


class RedactedCheckpoint(Checkpoint):
    """Redacts what was heard in a unit before it is stored.

    A number that two units share is found when the whole is redacted. Until then, the store has its parts:
    a long one as a marker, a short one as it is. After a crash, they go together, with the marker.
    """

    def __init__(self, checkpoint: Checkpoint, redaction: Redaction) -> None:
        self._checkpoint = checkpoint
        self._redaction = redaction

    def find(self, fingerprint: str, /) -> str | None:
        """Return a stored unit."""
        return self._checkpoint.find(fingerprint)

    def save(self, fingerprint: str, result_json: str, /) -> None:
        """Redact and save a unit."""
        unit = _Unit.model_validate_json(result_json)
        heard = unit.heard and self._redaction.of_unit(unit.heard)
        if heard is not unit.heard:
            result_json = unit.model_copy(update={"heard": heard}).model_dump_json()
        self._checkpoint.save(fingerprint, result_json)


class _Unit(BaseModel):
    """Result of a unit: the words that were heard, and more that is no text."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    heard: HeardUnit | None = None


class RedactedCleaner(CleanerPort):
    """Redacts cleaned texts; the transcripts that it gets are redacted already."""

    def __init__(self, cleaner: CleanerPort, redaction: Redaction) -> None:
        self._cleaner = cleaner
        self._redaction = redaction

    async def clean(self, transcript: Transcript, /) -> CleanedTranscript:
        """Clean, then redact in a thread."""
        cleaned = await self._cleaner.clean(transcript)
        text = await asyncio.to_thread(self._redaction.of_cleaned, cleaned.text, transcript)
        return cleaned._replace(text=text)
