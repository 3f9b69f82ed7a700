"""Looks after the messages in hand while handlers work: the heartbeat of a consumer."""

import logging
from collections.abc import Sequence

from domain.model.errors import InfrastructureError, ProcessedEventsUnavailableError
from domain.services.consuming.acknowledger import Endings, context
from domain.services.consuming.in_flight import Delivery
from domain.services.consuming.receiver import Intake
from domain.services.consuming.workplace import Workplace
from domain.services.resilience.background import logging_exceptions
from ports.queue_port import MAX_VISIBILITY_TIMEOUT

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
BEATS_PER_HIDING = 3
"""A message is hidden anew after a third of the time: two beats may be missed."""

UNSETTLED_SECONDS = 1.0
"""A success that nobody has settled for so long: whoever would have done it has a slow event since."""

PRUNE_SECONDS = 600.0


class Keeper:
    """One beat a second keeps everything in hand hidden and held, and notices handlers that hang."""

    def __init__(self, place: Workplace, intake: Intake, endings: Endings) -> None:
        self._place = place
        self._intake = intake
        self._endings = endings
        self._pruned_at = place.clock()

    def beat(self) -> None:
        """Do what is due; what fails is told once, and tried again with the next beat."""
        with logging_exceptions("the heartbeat broke down"):
            self._beat(self._place.clock())

    def _beat(self, now: float) -> None:
        self._endings.succeed(self._place.in_hand.take_done(now - UNSETTLED_SECONDS))
        self._look_for_hung(now)
        try:
            self._keep(now)
            self._look_at_parked()
            self._prune(now)
        except (InfrastructureError, ProcessedEventsUnavailableError) as error:
            self._place.trouble.begin(str(error))

    def hung(self) -> int:
        """How many handlers hang at present."""
        return sum(delivery.is_hung for delivery in self._place.in_hand.everything())

    def _keep(self, now: float) -> None:
        every = self._place.options.visibility_timeout / BEATS_PER_HIDING
        held = [delivery for delivery in self._place.in_hand.everything() if not delivery.is_hung]
        due = [delivery for delivery in held if now - delivery.kept_at >= every]
        if not due:
            return
        self._let_go_of_old(due, now)
        kept = {delivery.message.receipt: delivery for delivery in due if delivery.is_kept}
        messages = [delivery.message for delivery in kept.values()]
        refused = self._place.queue.change_visibility(
            messages, visibility_timeout=self._place.options.visibility_timeout
        )
        self._let_go_of_refused([kept[message.receipt] for message in refused])
        self._place.processed.renew(
            [delivery.lease for delivery in due if delivery.lease],
            lease_seconds=self._place.options.lease_seconds,
        )
        for delivery in due:
            delivery.kept_at = now

    def _let_go_of_old(self, due: Sequence[Delivery], now: float) -> None:
        for delivery in due:
            if (
                delivery.is_kept
                and now + self._place.options.visibility_timeout
                > delivery.received_at + MAX_VISIBILITY_TIMEOUT
            ):
                delivery.is_kept = False
                logger.warning(
                    "no queue hides a message for longer: others will get it", extra=context(delivery)
                )

    def _let_go_of_refused(self, refused: Sequence[Delivery]) -> None:
        for delivery in refused:
            delivery.is_kept = False
            logger.warning("a message is no longer ours: others may get it", extra=context(delivery))

    def _look_for_hung(self, now: float) -> None:
        for delivery in self._place.in_hand.everything():
            started_at = delivery.started_at
            is_late = started_at is not None and now - started_at > self._place.options.handler_seconds
            if is_late and not delivery.done_at and not delivery.is_hung:
                delivery.is_hung = True
                logger.error(
                    "a handler hangs, its message is left to others",
                    extra={**context(delivery), "seconds": round(self._place.options.handler_seconds)},
                )

    def _look_at_parked(self) -> None:
        """Whether those who had the same events in hand are done with them, or dead."""
        parked = self._place.in_hand.take_parked()
        self._place.in_hand.drop(delivery for delivery in parked if not delivery.is_kept)
        self._intake.claim([delivery for delivery in parked if delivery.is_kept])

    def _prune(self, now: float) -> None:
        if now - self._pruned_at >= PRUNE_SECONDS:
            self._pruned_at = now
            self._place.processed.prune()
