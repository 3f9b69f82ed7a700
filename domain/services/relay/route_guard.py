"""Route guard: holds events back while the route is broken, because the bus would accept and drop them."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from domain.model.route.route import Finding, RouteComponent
from domain.services.resilience.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

REQUIRED = frozenset(
    {
        RouteComponent.BUS,
        RouteComponent.RULE,
        RouteComponent.PATTERN,
        RouteComponent.TARGET,
        RouteComponent.TOPIC,
        RouteComponent.SUBSCRIPTION,
        RouteComponent.FILTER_POLICY,
    }
)
"""Components without which EventBridge or SNS accepts events and delivers them to no queue."""

UNSEEN_WITHOUT: Mapping[RouteComponent, frozenset[RouteComponent]] = {
    RouteComponent.RULE: frozenset({RouteComponent.PATTERN, RouteComponent.TARGET}),
    RouteComponent.TOPIC: frozenset({RouteComponent.SUBSCRIPTION, RouteComponent.FILTER_POLICY}),
    RouteComponent.SUBSCRIPTION: frozenset({RouteComponent.FILTER_POLICY}),
}
"""Components that cannot be checked if another one cannot be read."""

NOT_CHECKED = "the event route has not been checked yet"


RouteCheck = Callable[[], Sequence[Finding]]
"""Finds the problems of one route."""


class RouteGuard:
    """Checks the routes before the first event is sent, and from time to time.

    Only a proven problem holds events back: without the permission to check, no problem is known. A proven
    problem lasts until a check shows that it is gone; a check that fails shows nothing. A problem of one
    route holds back all events: they share one outbox.
    """

    def __init__(
        self,
        checks: Sequence[RouteCheck],  # one for the route of each kind of event that is sent
        breaker: CircuitBreaker,
        *,
        every_seconds: float = 60.0,  # the interval of checks while the routes are intact
        broken_every_seconds: float = 10.0,  # the interval while one is broken, or was not fully checked
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = [_CheckedRoute(check) for check in checks]
        self._breaker = breaker
        self._every_seconds = every_seconds
        self._broken_every_seconds = broken_every_seconds
        self._clock = clock
        self._next_check: float | None = None
        breaker.hold(NOT_CHECKED)

    def is_sound(self) -> bool:
        """Return whether events may be sent; check the routes if that is due."""
        if self._next_check is None or self._clock() >= self._next_check:
            self._check_now()
        return self._breaker.held is None

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The problems that hold events back; callable from any thread."""
        return tuple(finding for route in self._routes for finding in route.broken)

    def _check_now(self) -> None:
        findings = [finding for route in self._routes for finding in route.check()]
        broken = self.broken
        if broken:
            self._hold(broken)
        else:
            self._release()
        wait = self._broken_every_seconds if findings else self._every_seconds
        self._next_check = self._clock() + wait

    def _hold(self, broken: Sequence[Finding]) -> None:
        # two routes report a missing bus in the same words
        reason = "; ".join(dict.fromkeys(finding.problem for finding in broken))
        if self._breaker.held != reason:
            remedies = [finding.remedy for finding in broken]
            logger.error("events are held back", extra={"error": reason, "remedies": remedies})
        self._breaker.hold(reason)

    def _release(self) -> None:
        if self._breaker.held not in (None, NOT_CHECKED):
            logger.info("route restored, events are sent again")
        self._breaker.release()


class _CheckedRoute:
    """One route, and the problems that no check has shown to be gone.

    Attributes:
        broken: those problems.
    """

    def __init__(self, check: RouteCheck) -> None:
        self._check = check
        self.broken: tuple[Finding, ...] = ()

    def check(self) -> list[Finding]:
        """Check the route, and return the findings on required components."""
        findings = [finding for finding in self._findings() if finding.component in REQUIRED]
        proven = [finding for finding in findings if finding.proven]
        self.broken = (*proven, *self._still_broken(findings))
        return findings

    def _findings(self) -> Sequence[Finding]:
        try:
            return self._check()
        except Exception as error:
            logger.exception("route check failed", extra={"error_type": type(error).__name__})
            return self.broken

    def _still_broken(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return the problems of the last check whose components could not be checked this time."""
        unseen = {finding.component for finding in findings if not finding.proven}
        for component in tuple(unseen):
            unseen |= UNSEEN_WITHOUT.get(component, frozenset())
        return [finding for finding in self.broken if finding.component in unseen]
