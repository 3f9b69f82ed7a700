"""Verification of the route from the bus to the queue with a test event (requirement 8)."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from domain.model.clock import utc_now
from domain.model.errors import EventPublishError, InfrastructureError
from domain.model.events.event import TEST_EVENT_LABEL, PublicationStatus
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from domain.model.route.route import Finding, RouteComponent, Verification
from domain.model.route.test_event import (
    change_on_the_way,
    is_left_over,
    names_interaction,
    route_test_event,
)
from domain.services.route.message_search import (
    VISIBILITY_TIMEOUT,
    Match,
    MessageSearch,
    SearchResult,
)
from ports.event_infrastructure_port import EventInfrastructurePort
from ports.event_port import EventPort
from ports.queue_port import MAX_RECEIVE, QueueMessage, QueuePort

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_SECONDS = 30.0
"""Time to wait for the test event (requirement 8.3)."""

MAX_TIMEOUT_SECONDS = 300.0
"""Longest wait of a verification; older test events belong to none."""

MAX_DEAD_LETTERS = 500
"""Maximum number of dead letters searched for the test event."""


class EventVerificationService:
    """Publishes a test event and polls for it in the queue.

    The event is valid by its schema 1.0; only the label in its envelope tells consumers to skip it. Other
    messages are put back as copies, so that verifications never dead-letter one of them.
    """

    def __init__(
        self,
        events: EventPort,
        queue: QueuePort,
        dead_letters: QueuePort,
        infrastructure: EventInfrastructurePort,
        *,
        kind: EventKind = EventKind.COMPLETED,  # the kind of the test event; each has a route of its own
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._events = events
        self._queue = queue
        self._dead_letters = dead_letters
        self._infrastructure = infrastructure
        self._kind = kind
        self._clock = clock
        self._pause = pause
        self._now = now

    def verify(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> Verification:
        """Send one test event through the whole route.

        Raises:
            InfrastructureError: the queue is missing or unreachable, or the permission to put messages back
                is missing. No event was published and no message received.
        """
        self._queue.check_permissions()
        event = route_test_event(self._now(), self._kind)
        logger.info("verifying the route", extra={"interaction_id": str(event.interaction_id)})
        started = self._clock()
        problem = self._publish(event)
        if problem is not None:
            findings = (problem, *self._infrastructure.diagnose())
            return self._verdict(event, started, SearchResult(None, 0, None), findings)
        search = self._search(event, timeout_seconds)
        return self._verdict(event, started, search, tuple(self._findings(event, search)))

    def _publish(self, event: StoredEvent) -> Finding | None:
        try:
            publication = self._events.publish(event, labels=(TEST_EVENT_LABEL,))
        except EventPublishError as error:
            remedy = "Correct what the message names; real events fail for the same reason."
            return Finding(
                RouteComponent.PUBLISH, "the test event could not be published", str(error), remedy
            )
        if publication.status is not PublicationStatus.DISABLED:
            return None
        remedy = "Set EVENT_TRANSPORT=eventbridge and give the service credentials."
        return Finding(
            RouteComponent.PUBLISH, "publishing is disabled", "the transport discards events", remedy
        )

    def _search(self, event: StoredEvent, timeout_seconds: float) -> SearchResult:
        def match(message: QueueMessage) -> Match:
            return Match(
                wanted=names_interaction(message.body, event.interaction_id),
                removable=is_left_over(message.body, self._now()),
            )

        search = MessageSearch(self._queue, match, clock=self._clock, pause=self._pause)
        return search.run(timeout_seconds)

    def _findings(self, event: StoredEvent, search: SearchResult) -> Iterator[Finding]:
        if search.problem:
            yield _search_broken_off(search.problem)
        if search.found:
            yield from _changes(search.found, event)
        elif search.problem is None:
            yield from self._reasons(event, search)

    def _reasons(self, event: StoredEvent, search: SearchResult) -> Iterator[Finding]:
        """Diagnose why the event did not arrive: by the route's configuration, then by the queues."""
        broken = self._infrastructure.diagnose()
        yield from broken
        if any(finding.proven for finding in broken):
            return
        if self._in_dead_letters(event.interaction_id):
            yield _dead_lettered()
            return
        yield from self._reasons_beyond(search.messages_seen)

    def _reasons_beyond(self, seen: int) -> Iterator[Finding]:
        """Name the causes that remain where the route is sound."""
        try:
            depth = self._queue.depth()
        except InfrastructureError as error:
            yield _taken_by_another(str(error))
            return
        evidence = f"{depth.waiting} messages wait, {depth.in_flight} are in flight, {seen} were examined"
        if depth.waiting > seen:
            yield _not_all_looked_at(evidence)
        yield _taken_by_another(evidence)

    def _in_dead_letters(self, interaction_id: UUID) -> bool:
        """Search the dead-letter queue for the test event; delete it there, release all other messages."""
        held: list[QueueMessage] = []
        try:
            while len(held) < MAX_DEAD_LETTERS and (more := self._receive_dead_letters()):
                held += more
            ours = [message for message in held if names_interaction(message.body, interaction_id)]
            self._dead_letters.delete(ours)
        except InfrastructureError as error:
            logger.warning(
                "could not search the dead-letter queue for the test event", extra={"error": str(error)}
            )
            return False
        finally:
            self._dead_letters.release([m for m in held if not names_interaction(m.body, interaction_id)])
        return bool(ours)

    def _receive_dead_letters(self) -> tuple[QueueMessage, ...]:
        return self._dead_letters.receive(MAX_RECEIVE, visibility_timeout=VISIBILITY_TIMEOUT)

    def _verdict(
        self,
        event: StoredEvent,
        started: float,
        search: SearchResult,
        findings: tuple[Finding, ...],
    ) -> Verification:
        verification = Verification(
            test_interaction_id=event.interaction_id,
            arrived=search.found is not None,
            seconds=self._clock() - started,
            messages_seen=search.messages_seen,
            findings=findings,
        )
        logger.info(
            "route verified",
            extra={
                "interaction_id": str(event.interaction_id),
                "ok": verification.ok,
                "links": [finding.component.value for finding in findings],
            },
        )
        return verification


def _changes(message: QueueMessage, sent: StoredEvent) -> Iterator[Finding]:
    """Check that consumers receive the whole event in its envelope (requirements 8.5 and 8.6)."""
    change = change_on_the_way(message.body, sent)
    if change:
        yield Finding(
            RouteComponent.TARGET,
            "the test event arrived, but not as it was sent",
            change,
            "Remove input path, input and input transformer from the rule's target.",
        )


def _search_broken_off(problem: str) -> Finding:
    return Finding(
        RouteComponent.QUEUE,
        "the search was stopped, so that no other message is lost or dead-lettered",
        problem,
        "Give these credentials the permissions to receive, send and delete, and to use the queue's key.",
    )


def _dead_lettered() -> Finding:
    return Finding(
        RouteComponent.DEAD_LETTER_QUEUE,
        "the test event went to the dead-letter queue",
        "it was found and removed there: a consumer received it several times and did not delete it",
        "Let consumers delete events that carry the test label, or stop them while verifying.",
    )


def _not_all_looked_at(evidence: str) -> Finding:
    return Finding(
        RouteComponent.QUEUE,
        "the queue holds more messages than could be examined in time",
        evidence,
        "Try again with a longer --timeout, or when consumers have caught up.",
        proven=False,
    )


def _taken_by_another(evidence: str) -> Finding:
    return Finding(
        RouteComponent.CONSUMER,
        "every component that could be checked is sound: another consumer took the test event, or it is late",
        evidence,
        "Stop other consumers while verifying, or try again.",
    )
