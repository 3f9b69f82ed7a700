"""Publisher of events to a webhook: each as a CloudEvent, signed by Standard Webhooks 1.0."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

from adapters.web.webhook.client import Answer, WebhookClient
from adapters.web.webhook.errors import EndpointError
from adapters.web.webhook.signature import signed_headers
from adapters.web.webhook.status import refusal
from domain.model.errors import EventBusUnavailableError, EventPublishError, EventTooLargeError
from domain.model.events.cloud_event import CONTENT_TYPE, cloud_event, cloud_event_id
from domain.model.events.event import BatchProcessingCompleted, Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents, contexts_for, too_large

logger = logging.getLogger(__name__)

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class WebhookPublisher(EventPort):
    """Posts events one by one over connections that are kept open; the receipts are the ids of the events.

    An answer of 2xx accepts an event, and 413 asks for a smaller one. After any other answer and after none
    the event is to be sent again: an endpoint can neither drop nor park an event by its status.
    """

    def __init__(
        self,
        client: WebhookClient,
        *,
        source: str,
        keys: Sequence[bytes],  # each signs, so that receivers may change over to another
        max_bytes: int,  # of the body of one event
        timeout_seconds: float,  # of one batch
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._source = source
        self._keys = tuple(keys)
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._now = now
        self._has_gone = False

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Post the events one after the other; those for which no time is left may be sent again.

        Once the endpoint asks to wait, the other events wait as well.
        """
        until = self._clock() + self._timeout_seconds
        outcomes: list[PublishOutcome] = []
        for event, context in zip(events, contexts_for(events, traceparents), strict=True):
            outcomes.append(self._outcome(event, labels, context, until))
            if asks_to_wait(outcomes[-1]):
                return (*outcomes, *outcomes[-1:] * (len(events) - len(outcomes)))
        return tuple(outcomes)

    def post(self, event: SentEvent, labels: tuple[str, ...], context: str | None, seconds: float) -> Answer:
        """Post one event, and return the answer in any status.

        Raises:
            EndpointError: there was no whole answer in time.
            EventTooLargeError: the event has more bytes than EVENT_MAX_BYTES.
        """
        body = cloud_event(event, source=self._source, labels=labels, traceparent=context)
        if len(body) > self._max_bytes:
            raise too_large(len(body), self._max_bytes)
        return self._client.post(body, self._headers(event, body, context), seconds=seconds)

    def _headers(self, event: SentEvent, body: bytes, context: str | None) -> dict[str, str]:
        headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "batch-transcription"}
        if _TRACEPARENT.fullmatch(context or ""):
            headers["traceparent"] = str(context)
        return headers | signed_headers(self._keys, cloud_event_id(event), int(self._now()), body)

    def _outcome(
        self, event: SentEvent, labels: tuple[str, ...], context: str | None, until: float
    ) -> PublishOutcome:
        left = until - self._clock()
        if left <= 0:
            return EventBusUnavailableError(
                f"not sent: earlier events of the call took all of its {self._timeout_seconds:g} s"
            )
        try:
            return self._read(event, self.post(event, labels, context, left))
        except EventPublishError as error:
            return error
        except EndpointError as error:
            failure = EventBusUnavailableError(str(error))
            failure.__cause__ = error
            return failure

    def _read(self, event: SentEvent, answer: Answer) -> PublishOutcome:
        if answer.is_acceptance:
            self._has_gone = False
            return Publication(PublicationStatus.PUBLISHED, cloud_event_id(event))
        finding = refusal(self._client.host, answer)
        self._note_gone(answer.status, finding.evidence)
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and isinstance(
            event, BatchProcessingCompleted
        ):
            return EventTooLargeError(f"the endpoint answered {answer.status}")
        failure = EventBusUnavailableError(f"{finding.problem}: {finding.evidence}")
        failure.retry_after_seconds = answer.retry_after
        return failure

    def _note_gone(self, status: int, evidence: str) -> None:
        """Log once that the endpoint says that it has gone or moved; its events are kept."""
        if status != HTTPStatus.GONE and not 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
            return
        if not self._has_gone:
            logger.error(
                "the webhook's endpoint says that it has gone or moved; its events are kept and tried again",
                extra={"error": evidence},
            )
        self._has_gone = True


def asks_to_wait(outcome: PublishOutcome) -> bool:
    """Tell if the endpoint asked to wait, with `Retry-After`."""
    return isinstance(outcome, EventBusUnavailableError) and outcome.retry_after_seconds > 0
