"""Event publisher: builds, validates and publishes events (requirement 4)."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from domain.model.clock import utc_now
from domain.model.errors import EventRejectedError, InteractionIdTakenError
from domain.model.events.event import (
    DEFAULT_EVENT_SOURCE,
    BatchProcessingCompleted,
    Publication,
    PublicationStatus,
    TranscriptData,
)
from ports.event_port import EventPort

logger = logging.getLogger(__name__)


class EventPublisher:
    """Publishes `BatchProcessingCompleted` for every entry point.

    Logs the lengths of transcripts, never their text (requirement 4.10).
    """

    def __init__(
        self, events: EventPort, *, source: str = DEFAULT_EVENT_SOURCE, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._events = events
        self._source = source
        self._now = now

    def publish(
        self,
        interaction_id: UUID,
        tenant_id: UUID,
        user_id: str,
        account_id: str | None,
        data: TranscriptData,
    ) -> Publication:
        """Build the event, validate it against schema 1.0 and publish it.

        Raises:
            EventPublishError: after logging it with its stack trace and the interaction id (requirement 4.9).
                `EventRejectedError` also for an event that breaks its own schema (requirement 1.9).
            InteractionIdTakenError: without a log line; publish the event with another interaction id.
        """
        context = self._context(interaction_id)
        try:
            event = self._build(interaction_id, tenant_id, user_id, account_id, data)
            context["raw_length"] = len(data.raw_transcript)
            context["cleaned_length"] = len(data.cleaned_transcript)
            publication = self._events.publish(event)
        except InteractionIdTakenError:
            raise
        except Exception as error:
            logger.exception(
                "event publishing failed",
                extra={**context, "error_type": type(error).__name__, "error": str(error)},
            )
            raise
        self._log(publication, context)
        return publication

    def _build(
        self,
        interaction_id: UUID,
        tenant_id: UUID,
        user_id: str,
        account_id: str | None,
        data: TranscriptData,
    ) -> BatchProcessingCompleted:
        try:
            return BatchProcessingCompleted(
                interaction_id=interaction_id,
                tenant_id=tenant_id,
                user_id=user_id,
                account_id=account_id,
                timestamp=self._now(),
                data=data,
            )
        except ValidationError as error:
            raise EventRejectedError(f"the event breaks its own schema: {error}") from error

    def _context(self, interaction_id: UUID) -> dict[str, str | int]:
        return {
            "interaction_id": str(interaction_id),
            "source": self._source,
            "detail_type": BatchProcessingCompleted.DETAIL_TYPE,
        }

    @staticmethod
    def _log(publication: Publication, context: dict[str, str | int]) -> None:
        match publication.status:
            case PublicationStatus.DISABLED:
                logger.warning("event publishing is disabled, the event was not sent", extra=context)
            case PublicationStatus.QUEUED:
                logger.info("event queued", extra=context)
            case _:
                logger.info("event published", extra={**context, "event_id": str(publication.event_id)})
