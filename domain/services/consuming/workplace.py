"""What the parts of a consumer share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from threading import Event

from domain.model.clock import utc_now
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.route.route import VISIBILITY_SECONDS
from domain.services.consuming.handler_circuit import Outage
from domain.services.consuming.in_flight import InHand
from domain.services.consuming.stats import ConsumerStats
from domain.services.consuming.trouble import Trouble
from ports.deduplication_port import DeduplicationPort
from ports.queue_port import QueuePort

LEASES_PER_HIDING = 2
"""A hold outlasts its message's invisibility: who dies leaves both, and the message comes back first."""
SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How a consumer works.

    Attributes:
        threads: how many handlers work at once.
        visibility_timeout: for how long a message is hidden at a time; renewed while a handler works.
        handler_seconds: a handler that takes longer hangs.
        grace_seconds: how long handlers may go on when the consumer is told to stop.
        pause_seconds: the first pause after a failure, at most; the next are longer.
        remember_days: for how long duplicates are recognised; a message can spend 14 days in the queue and 14
            in the dead-letter queue.
        max_messages: stop after so many events; None for no limit.
        drain: stop once the queue is empty.
    """

    threads: int = 8
    visibility_timeout: int = VISIBILITY_SECONDS
    handler_seconds: float = 900.0
    grace_seconds: float = 25.0
    pause_seconds: float = 30.0
    remember_days: float = 28.0
    max_messages: int | None = None
    drain: bool = False

    @property
    def ends_by_itself(self) -> bool:
        """Whether nobody need tell it to stop."""
        return self.drain or self.max_messages is not None

    @property
    def lease_seconds(self) -> float:
        """For how long an event is held at a time."""
        return float(LEASES_PER_HIDING * self.visibility_timeout)

    @property
    def retention_seconds(self) -> float:
        """As `remember_days`."""
        return self.remember_days * SECONDS_A_DAY


@dataclass(frozen=True, slots=True)
class Workplace:
    """The queue, the memory, and all that the parts of one consumer know of each other.

    Attributes:
        source: whose events are expected.
        clock: seconds that only go forward.
        now: for the age of test events.
        stop: set when nothing new is to be begun.
    """

    queue: QueuePort
    processed: DeduplicationPort
    options: ConsumerOptions = ConsumerOptions()
    source: str = DEFAULT_EVENT_SOURCE
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = utc_now
    random: Random = field(default_factory=Random)
    in_hand: InHand = field(default_factory=InHand)
    trouble: Trouble = field(default_factory=Trouble)
    outage: Outage = field(default_factory=Outage)
    tally: ConsumerStats = field(default_factory=ConsumerStats)
    stop: Event = field(default_factory=Event)
