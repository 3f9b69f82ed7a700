"""Batch processing: transcribe → clean → publish → result (requirements 3 and 10)."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from domain.model.errors import EventPublishError, InteractionIdTakenError
from domain.model.events.event import Publication, PublicationStatus, TranscriptData
from domain.model.identity import Identity
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions
from domain.services.publishing.event_publisher import EventPublisher
from domain.services.resilience.threads import in_threads
from ports.cleaner_port import CleanedTranscript, CleanerPort
from ports.transcriber_port import ProgressListener, TranscriberPort

logger = logging.getLogger(__name__)

DEFAULT_PUBLISH_TIMEOUT_SECONDS = 15.0
"""Longest wait for a publisher that does not keep its own time-out: a locked outbox may take ten seconds to
fail, and the bus is tried after that."""

FAILED = Publication(PublicationStatus.FAILED)

PUBLISHING_THREADS = 64
"""Threads for publishing only: a hanging bus must not take the threads that uploads and cleaning share."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Result of one recording; complete even if the event was not published."""

    interaction_id: UUID
    identity: Identity
    transcript: Transcript
    cleaned: CleanedTranscript
    publication: Publication
    request_warnings: tuple[ResultWarning, ...] = ()

    @property
    def cleaned_transcript(self) -> str:
        """Return the readable text."""
        return self.cleaned.text

    @property
    def warnings(self) -> tuple[ResultWarning, ...]:
        """Return what the caller should know about the request, the identity and the recording."""
        return self.request_warnings + self.identity.warnings + self.transcript.warnings


class BatchProcessingService:
    """Turns one recording into transcripts and publishes its event.

    The caller gets the transcripts even if publishing fails (requirement 3.10): a bus that fails, or takes
    longer than `publish_timeout_seconds`, shows only in `publication.status`.
    """

    def __init__(
        self,
        transcriber: TranscriberPort,
        cleaner: CleanerPort,
        publisher: EventPublisher,
        *,
        publish_timeout_seconds: float = DEFAULT_PUBLISH_TIMEOUT_SECONDS,
    ) -> None:
        self._transcriber = transcriber
        self._cleaner = cleaner
        self._publisher = publisher
        self._publish_timeout_seconds = publish_timeout_seconds
        self._threads = ThreadPoolExecutor(PUBLISHING_THREADS, thread_name_prefix="publish")

    async def process(
        self,
        recording: Path,
        identity: Identity,
        interaction_id: UUID,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        warnings: tuple[ResultWarning, ...] = (),
        on_progress: ProgressListener | None = None,
    ) -> BatchResult:
        """Transcribe and clean one recording, and publish its event.

        The result repeats the warnings about the request. Where the interaction id has an event already,
        this event gets a new id, with a warning: consumers would drop it as a duplicate.

        Raises:
            RecordingError: the recording cannot be used.
            TranscriptionError: the recording could not be transcribed.
        """
        self._log_identity(identity, interaction_id)
        transcript = await self._transcriber.transcribe(recording, options=options, on_progress=on_progress)
        cleaned = await self._cleaner.clean(transcript)
        publication = await self._publish(identity, interaction_id, transcript, cleaned.text)
        if publication is None:
            taken, interaction_id = interaction_id, uuid4()
            warnings += (_taken(taken, interaction_id),)
            publication = await self._publish(identity, interaction_id, transcript, cleaned.text) or FAILED
        result = BatchResult(interaction_id, identity, transcript, cleaned, publication, warnings)
        self._log_result(result)
        return result

    async def _publish(
        self, identity: Identity, interaction_id: UUID, transcript: Transcript, cleaned: str
    ) -> Publication | None:
        """Return the publisher's outcome, `FAILED` after logging an error, None if the id is taken."""

        def publish() -> Publication:
            data = TranscriptData(raw_transcript=transcript.text, cleaned_transcript=cleaned)
            return self._publisher.publish(
                interaction_id, identity.tenant_id, identity.user_id, identity.account_id, data
            )

        publishing = in_threads(self._threads, publish)
        try:
            return await asyncio.wait_for(publishing, self._publish_timeout_seconds)
        except InteractionIdTakenError:
            return None
        except EventPublishError:
            return FAILED  # logged by the publisher, with its stack trace
        except Exception as error:
            logger.exception(
                "event publishing failed",
                extra={
                    "interaction_id": str(interaction_id),
                    "error_type": type(error).__name__,
                    "error": str(error) or f"no answer within {self._publish_timeout_seconds} s",
                },
            )
            return FAILED

    @staticmethod
    def _log_identity(identity: Identity, interaction_id: UUID) -> None:
        for warning in identity.warnings:
            logger.warning(warning.detail, extra={"interaction_id": str(interaction_id)})
        logger.info(
            "identity resolved",
            extra={
                "interaction_id": str(interaction_id),
                "tenant_id": str(identity.tenant_id),
                "user_id": identity.user_id,
                "account_id": identity.account_id,
            },
        )

    @staticmethod
    def _log_result(result: BatchResult) -> None:
        logger.info(
            "batch processing completed",
            extra={
                "interaction_id": str(result.interaction_id),
                "event_status": result.publication.status.value,
                "duration_seconds": round(result.transcript.duration_seconds, 3),
                "segments": len(result.transcript.segments),
                "warnings": [warning.code.value for warning in result.warnings],
                "raw_length": len(result.transcript.text),
                "cleaned_length": len(result.cleaned_transcript),
                "cleaner": result.cleaned.cleaner,
                "fallback_segments": result.cleaned.fallbacks,
            },
        )


def _taken(taken: UUID, replacement: UUID) -> ResultWarning:
    logger.warning(
        "another event has this interaction id, publishing under a new one",
        extra={"interaction_id": str(taken), "event_interaction_id": str(replacement)},
    )
    detail = f"interaction id {taken} belongs to another event; this event has the id {replacement}"
    return ResultWarning(code=WarningCode.INTERACTION_ID_REPLACED, detail=detail)
