"""Relay: publishes the events of the outbox on the bus until it is stopped."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from random import Random
from threading import Event
from typing import NamedTuple

from domain.model.clock import utc_now
from domain.model.errors import OutboxUnavailableError
from domain.services.relay.dispatcher import Batch, BatchDispatcher, DispatchResult
from domain.services.relay.pacing import BATCH, LeaseSizer, PauseCause, RelayBackoff
from domain.services.relay.recorder import OutcomeRecorder
from domain.services.relay.route_guard import RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
"""Lease of a batch; nothing is sent in the second half of it, which is longer than any call."""

IDLE_SECONDS = 0.05
"""Delay when events are due but none could be leased: another relay is leasing them."""

POLL_SECONDS = 1.0
"""Longest delay until events added by another process are noticed."""


class RelayStatus(NamedTuple):
    """State of a relay."""

    paused: str | None  # the reason why nothing is sent; None while the relay works
    seconds_since_beat: float | None  # since the last sign of life; None before the first
    last_error: str | None  # the last failure of bus or outbox; None once all events are accepted again
    last_error_at: datetime | None  # the time of that failure


class Relay:
    """Leases due events, publishes them and records the outcomes, repeatedly.

    Any number of relays may share an outbox. After a failure of bus or outbox, the relay tries again with a
    few events, after delays that grow to a minute. Outcomes that could not be recorded are recorded before
    anything else is sent: an outbox that cannot be written to costs at most two batches of duplicates.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        dispatcher: BatchDispatcher,  # serves this relay only
        breaker: CircuitBreaker,  # the callers' circuit breaker; the relay closes it again
        *,
        # holds events back while the bus would drop them; None if the route cannot be checked
        route: RouteGuard | None = None,
        batch: int = BATCH,
        lease_seconds: float = LEASE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,  # the dispatcher's clock
        now: Callable[[], datetime] = utc_now,  # the time of failures
        # waits that many seconds or until `wake`; returns true if woken
        wait: Callable[[float], bool] | None = None,
        random: Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._dispatcher = dispatcher
        self._recorder = OutcomeRecorder(outbox, breaker)
        self._breaker = breaker
        self._route = route
        self._sizer = LeaseSizer(batch)
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._wait = wait or self._wait_for_wake
        self._backoff = RelayBackoff(random or Random(), now)  # noqa: S311 - spreads retries, keeps no secret
        self._wake = Event()
        self._stop = Event()
        self._has_failed = False
        self._must_wait = False
        self._beat: float | None = None

    def run(self, stop: Event) -> None:
        """Work until `stop` is set, then finish the calls in flight and release the events not sent.

        Checks `stop` about once a second, and at once after `wake`.
        """
        self._stop = stop
        logger.info("relay started")
        while not stop.is_set():
            self._sleep(self.step())
        self._dispatcher.close()
        self._recorder.add(self._dispatcher.drain())
        self._recorder.record_last()
        logger.info("relay stopped")

    def wake(self) -> None:
        """Tell the relay, from any thread, that there are new events. A pause is not cut short."""
        self._wake.set()

    def status(self) -> RelayStatus:
        """Return the state of the relay; callable from any thread."""
        since_beat = None if self._beat is None else self._clock() - self._beat
        paused = self._breaker.held or self._backoff.paused_reason
        failure = self._backoff.last_failure
        if failure is None:
            return RelayStatus(paused, since_beat, None, None)
        return RelayStatus(paused, since_beat, failure.reason, failure.at)

    @property
    def paused_by(self) -> PauseCause | None:
        """Part for which `status` tells a pause; None while the relay works."""
        return PauseCause.ROUTE if self._breaker.held else self._backoff.paused_by

    def step(self) -> float:
        """Dispatch one batch and record finished ones; return the seconds to wait before the next step."""
        self._beat = self._clock()
        try:
            return self._step()
        except OutboxUnavailableError as error:
            reason, cause = f"outbox unavailable: {error}", PauseCause.OUTBOX
        except Exception as error:
            logger.exception("unexpected error in the relay", extra={"error_type": type(error).__name__})
            reason, cause = f"unexpected error in the relay: {type(error).__name__}", PauseCause.RELAY
        self._has_failed = True
        self._recorder.add(self._dispatcher.drain())
        return self._backoff.failed(reason, cause)

    def _step(self) -> float:
        """Start the next batch, and finish earlier ones: several are in flight while the bus accepts all."""
        self._must_wait = False
        self._recorder.record()
        if self._route and not self._route.is_sound():
            self._finish()
            return self._poll_seconds
        limit = self._sizer.limit(is_paused=self._backoff.paused_reason is not None)
        batch = self._lease(limit)
        if batch.leases:
            self._dispatcher.submit(batch)
        elif not self._dispatcher.in_flight:
            return self._seconds_until_due()
        is_flowing = self._dispatcher.is_healthy and len(batch.leases) == limit
        return self._finish(keep=self._sizer.max_in_flight(limit) - 1 if is_flowing else 0)

    def _lease(self, limit: int) -> Batch:
        send_until = self._clock() + self._lease_seconds / 2
        leases = self._outbox.lease_due(limit, lease_seconds=self._lease_seconds)
        if leases:
            self._sizer.observe(leases)
        if self._has_failed:  # no longer: earlier outcomes are recorded, and the outbox answers
            self._has_failed = False
            self._backoff.succeeded()
        return Batch(leases, send_until, self._stop, self._backoff.paused_reason)

    def _finish(self, *, keep: int = 0) -> float:
        """Finish and record batches until `keep` are in flight; after a failure, all of them."""
        delays = [self._record(result) for result in self._dispatcher.results(keep=keep)]
        if any(delays):
            delays += [self._record(result) for result in self._dispatcher.results()]
        self._must_wait = any(delays)
        return max(delays, default=0.0)

    def _record(self, result: DispatchResult) -> float:
        self._recorder.add(result.outcomes)
        delay = self._backoff.delay_after(result)
        self._recorder.record()
        return delay

    def _seconds_until_due(self) -> float:
        due = self._outbox.seconds_until_due()
        if due is None:  # no event waits that could fail
            self._backoff.succeeded()
            return self._poll_seconds
        return min(max(due, IDLE_SECONDS), self._poll_seconds)

    def _sleep(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._stop.is_set() and (left := until - self._clock()) > 0:
            woken = self._wait(min(left, self._poll_seconds))
            self._beat = self._clock()
            if woken and not (self._backoff.paused_reason or self._must_wait):
                return

    def _wait_for_wake(self, seconds: float) -> bool:
        woken = self._wake.wait(seconds)
        self._wake.clear()
        return woken
