"""A queue and its dead-letter queue on one clock."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

from domain.model.events.event import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted, CompletedEvent
from domain.model.messages.message import Attribute, Attributes, DeliveryFailure
from domain.services.dead_letters.dead_letters import DeadLetters
from domain.services.dead_letters.redrive import FindErased, Redrive
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryMoveTask
from tests.support.samples.factories import an_event

SPOKEN = "the merger is on friday"
UNDELIVERED = DeliveryFailure("NO_PERMISSIONS", "not authorised", 185, "MaximumRetryAttempts")
BESIDE = Attributes(
    named={"note": Attribute(type="String", text="hällo"), "raw": Attribute(type="Binary", binary=b"\0\xff")},
    trace="Root=1-5759e988-bd862e3fe1be46a994272793",
)


def an_envelope(event: CompletedEvent | None = None, **changes: object) -> str:
    """Build a message body as EventBridge does; `changes` are fields of the envelope, with _ for -."""
    inside = event or an_event(raw_transcript=SPOKEN, cleaned_transcript=SPOKEN)
    envelope = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": BatchProcessingCompleted.DETAIL_TYPE,
        "source": DEFAULT_EVENT_SOURCE,
        "resources": [],
        "detail": json.loads(inside.to_json()),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return json.dumps(envelope)


class Ground:
    """Both queues, and the services over them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.dead_letters = BreakingQueue(self.clock)
        self.queue = BreakingQueue(self.clock, dead_letters=self.dead_letters)
        self.move_task = InMemoryMoveTask(self.dead_letters, self.queue)
        self.service = DeadLetters(self.dead_letters, self.queue, source=DEFAULT_EVENT_SOURCE, now=self.now)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def redrive(self, erased: FindErased | None = None) -> Redrive:
        return Redrive(
            self.dead_letters,
            self.queue,
            self.move_task,
            source=DEFAULT_EVENT_SOURCE,
            erased=erased,
            now=self.now,
            pause=self.clock.advance,
        )

    def fill(self, *bodies: str) -> list[str]:
        """Add dead letters that were sent a second ago; return their ids."""
        ids = [self.dead_letters.send(body, BESIDE) for body in bodies]
        self.clock.advance(1)
        return ids

    def fill_with_events(self, count: int, tenant_id: UUID | None = None) -> list[str]:
        return self.fill(*(an_envelope(an_event(tenant_id=tenant_id)) for _ in range(count)))

    def everything(self) -> list[str]:
        """Return the bodies in both queues."""
        return sorted(self.queue.bodies() + self.dead_letters.bodies())

    def forget_receipts(self) -> None:
        """Let every receipt for a dead letter expire."""
        for stored in self.dead_letters._stored:
            stored.receipts.clear()

    def fail_what_waits(self) -> None:
        """Dead-letter all messages of the queue, as a failing consumer would."""
        while held := self.queue.receive(10, visibility_timeout=1):
            self.queue.release(held)
