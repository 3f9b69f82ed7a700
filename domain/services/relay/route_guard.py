"""Holds events back while the route behind the bus is broken: the bus would accept them, and drop them."""

import logging
import time
from collections.abc import Callable, Sequence

from domain.model.route.route import Finding, RouteComponent
from domain.services.resilience.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

HOLDING = frozenset({RouteComponent.BUS, RouteComponent.RULE, RouteComponent.PATTERN, RouteComponent.TARGET})
"""Where one of these is missing, EventBridge answers success and nobody gets the event."""

BEHIND_THE_RULE = frozenset({RouteComponent.PATTERN, RouteComponent.TARGET})
"""What nobody sees of a rule that cannot be looked at."""

NOT_YET = "the route of the events has not been looked at yet"


class RouteGuard:
    """Looks at the route before the first event leaves, and from time to time.

    Only what is proven holds events back: where looking is not allowed, nothing is known to be broken. What
    was proven once stays so until it is seen to be sound: a look that fails says nothing of it.

    Args:
        check: finds what is wrong with the route.
        every_seconds: how often to look while the route is sound.
        broken_every_seconds: how often while it is not, or while not all of it could be seen.
    """

    def __init__(
        self,
        check: Callable[[], Sequence[Finding]],
        breaker: CircuitBreaker,
        *,
        every_seconds: float = 60.0,
        broken_every_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check = check
        self._breaker = breaker
        self._every_seconds = every_seconds
        self._broken_every_seconds = broken_every_seconds
        self._clock = clock
        self._next_look: float | None = None
        self._broken: tuple[Finding, ...] = ()
        breaker.hold(NOT_YET)

    def is_sound(self) -> bool:
        """Whether events may leave; looks again where it is time to."""
        if self._next_look is None or self._clock() >= self._next_look:
            self.look()
        return self._breaker.held is None

    def look(self) -> None:
        """Look at the route now."""
        findings = [finding for finding in self._findings() if finding.component in HOLDING]
        proven = [finding for finding in findings if finding.proven]
        self._broken = (*proven, *self._not_seen_again(findings))
        if self._broken:
            self._hold("; ".join(finding.problem for finding in self._broken))
        else:
            self._release()
        wait = self._broken_every_seconds if findings else self._every_seconds
        self._next_look = self._clock() + wait

    def _findings(self) -> Sequence[Finding]:
        try:
            return self._check()
        except Exception as error:
            logger.exception("the route could not be looked at", extra={"error_type": type(error).__name__})
            return self._broken

    def _not_seen_again(self, findings: Sequence[Finding]) -> list[Finding]:
        """What was broken at the last look, and could not be looked at this time."""
        unseen = {finding.component for finding in findings if not finding.proven}
        if RouteComponent.RULE in unseen:
            unseen |= BEHIND_THE_RULE
        return [finding for finding in self._broken if finding.component in unseen]

    def _hold(self, reason: str) -> None:
        if self._breaker.held != reason:
            remedies = [finding.remedy for finding in self._broken]
            logger.error("events are held back", extra={"error": reason, "remedies": remedies})
        self._breaker.hold(reason)

    def _release(self) -> None:
        if self._breaker.held not in (None, NOT_YET):
            logger.info("the route is sound, events leave again")
        self._breaker.release()
