"""Heartbeat of a consumer: extends the visibility timeout of in-flight messages while handlers run."""

import logging
import math
from collections.abc import Callable, Sequence

from domain.model.errors import InfrastructureError, ProcessedEventsUnavailableError
from domain.services.consuming.acknowledger import Acknowledger, log_context
from domain.services.consuming.handler_circuit import OutageLog
from domain.services.consuming.in_flight import InFlight, InFlightMessage
from domain.services.consuming.options import ConsumerOptions
from domain.services.consuming.receiver import Receiver
from domain.services.resilience.background import logging_exceptions
from ports.deduplication_port import DeduplicationPort
from ports.queue_port import MAX_VISIBILITY_TIMEOUT, QueuePort

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0

EXTENSIONS_PER_TIMEOUT = 3
"""A visibility timeout is extended after a third of it, so that two extensions may fail."""

MAX_UNACKNOWLEDGED_SECONDS = 1.0
"""The heartbeat acknowledges a success after this time: the thread that would do it is on a slow event."""

PRUNE_SECONDS = 600.0
"""Time between two deletions of expired records; the first comes at once, as a run may be short."""


class VisibilityHeartbeat:
    """Keeps in-flight messages hidden and leased, and finds handlers that are stuck; ticks once a second."""

    def __init__(
        self,
        queue: QueuePort,
        deduplication: DeduplicationPort,
        receiver: Receiver,
        acknowledger: Acknowledger,
        in_flight: InFlight,
        outage_log: OutageLog,
        options: ConsumerOptions,
        clock: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._deduplication = deduplication
        self._receiver = receiver
        self._acknowledger = acknowledger
        self._in_flight = in_flight
        self._outage_log = outage_log
        self._options = options
        self._clock = clock
        self._pruned_at = -math.inf

    def tick(self) -> None:
        """Do what is due; log failures once and try again with the next tick.

        A failure skips nothing else. Leases are renewed first: they need the database alone, and a queue that
        is away holds up a call for its time-out.
        """
        now = self._clock()
        self._try(lambda: self._acknowledge(now))
        self._try(lambda: self._find_stuck(now))
        self._try(lambda: self._renew(now))
        self._try(lambda: self._extend(now))
        self._try(self._recheck_blocked)
        self._try(lambda: self._prune(now))

    def count_stuck(self) -> int:
        """Return the number of handlers that are stuck now."""
        return sum(message.is_stuck for message in self._in_flight.all())

    def _try(self, work: Callable[[], None]) -> None:
        with logging_exceptions("unexpected error in the heartbeat, tried again with the next tick"):
            try:
                work()
            except (InfrastructureError, ProcessedEventsUnavailableError) as error:
                self._outage_log.begin(str(error))

    def _acknowledge(self, now: float) -> None:
        self._acknowledger.ack(self._in_flight.drain_completed(now - MAX_UNACKNOWLEDGED_SECONDS))

    def _renew(self, now: float) -> None:
        due = [each for each in self._held() if each.lease and self._is_due(each.renewed_at, now)]
        if not due:
            return
        leases = [message.lease for message in due if message.lease]
        self._deduplication.renew(leases, lease_seconds=self._options.lease_seconds)
        for message in due:
            message.renewed_at = now

    def _extend(self, now: float) -> None:
        due = [message for message in self._held() if self._is_due(message.extended_at, now)]
        if not due:
            return
        self._give_up_expired(due, now)
        extended = {message.message.receipt: message for message in due if message.is_extended}
        refused = self._queue.change_visibility(
            [message.message for message in extended.values()],
            visibility_timeout=self._options.visibility_timeout,
        )
        self._give_up_refused([extended[message.receipt] for message in refused])
        for message in due:
            message.extended_at = now

    def _held(self) -> list[InFlightMessage]:
        return [message for message in self._in_flight.all() if not message.is_stuck]

    def _is_due(self, before: float, now: float) -> bool:
        return now - before >= self._options.visibility_timeout / EXTENSIONS_PER_TIMEOUT

    def _give_up_expired(self, due: Sequence[InFlightMessage], now: float) -> None:
        latest = now + self._options.visibility_timeout - MAX_VISIBILITY_TIMEOUT
        for message in due:
            if message.is_extended and message.received_at < latest:
                message.is_extended = False
                logger.warning(
                    "message reached the maximum visibility timeout and will be redelivered",
                    extra=log_context(message),
                )

    def _give_up_refused(self, refused: Sequence[InFlightMessage]) -> None:
        for message in refused:
            message.is_extended = False
            logger.warning(
                "visibility timeout not extended, the message was deleted or redelivered",
                extra=log_context(message),
            )

    def _find_stuck(self, now: float) -> None:
        for message in self._in_flight.all():
            started_at = message.started_at
            is_late = started_at is not None and now - started_at > self._options.handler_timeout
            if is_late and not message.completed_at and not message.is_stuck:
                message.is_stuck = True
                logger.error(
                    "handler exceeded its timeout, the message will be redelivered",
                    extra={**log_context(message), "seconds": round(self._options.handler_timeout)},
                )

    def _recheck_blocked(self) -> None:
        """Lease the events of blocked messages whose other consumer finished or died.

        After a failure they stay blocked: returned to the queue, each would need another receive.
        """
        taken = self._in_flight.take_blocked()
        self._in_flight.drop(message for message in taken if not message.is_extended)
        blocked = [message for message in taken if message.is_extended]
        try:
            self._receiver.deduplicate(blocked)
        except Exception:
            self._in_flight.block(message for message in blocked if not message.lease)
            raise

    def _prune(self, now: float) -> None:
        if now - self._pruned_at >= PRUNE_SECONDS:
            self._pruned_at = now
            self._deduplication.prune()
