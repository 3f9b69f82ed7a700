"""The route of the events: its names, its parts, and what can be wrong with it (requirements 5 to 8)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid4

from domain.model.events.event import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted, TranscriptData

VISIBILITY_SECONDS = 30
"""How long a received message stays hidden from other consumers (requirement 5.2)."""

RETENTION_SECONDS = 14 * 24 * 3600
"""How long both queues keep a message (requirements 5.3 and 15.2)."""

MAX_RECEIVES = 3
"""After so many receives without a deletion a message is dead-lettered (requirement 5.5)."""

MAX_MESSAGE_BYTES = 2**20
"""What both queues accept: less would refuse events that the bus has accepted already."""

DELIVERY_SECONDS = 24 * 3600
"""For how long the bus tries to bring an event to the queue."""

DELIVERY_ATTEMPTS = 185
"""How often it tries; after the last one the event goes to the dead-letter queue."""

TEST_USER_ID = "transcripts-verify"
"""Whose events those are that only test the route."""


@dataclass(frozen=True, slots=True)
class RouteNames:
    """What the parts of the route are called; the defaults are the requirements'."""

    bus: str = "default"
    rule: str = "capture-transcripts-rule"
    queue: str = "meeting-transcripts-queue"
    dead_letter_queue: str = "meeting-transcripts-dlq"
    source: str = DEFAULT_EVENT_SOURCE
    archive: str = "meeting-transcripts-archive"


class RouteComponent(StrEnum):
    """Where the route of an event can be broken, in the order of travel."""

    PAYLOAD_BUCKET = "payload bucket"
    PUBLISH = "publish"
    BUS = "bus"
    RULE = "rule"
    PATTERN = "pattern"
    TARGET = "target"
    QUEUE = "queue"
    QUEUE_POLICY = "queue policy"
    ENCRYPTION = "encryption"
    CONSUMER = "consumer"
    DEAD_LETTER_QUEUE = "dead-letter queue"
    ARCHIVE = "archive"


class Finding(NamedTuple):
    """One thing that is wrong with the route, or that could not be told."""

    component: RouteComponent
    problem: str
    evidence: str
    """What was seen that shows it."""
    remedy: str
    """What to do about it."""
    proven: bool = True
    """False where the component could not be checked: it may be sound."""


class Drift(NamedTuple):
    """An attribute of an existing part that is not as it would have been created."""

    attribute: str
    wanted: str
    found: str
    ours: bool = True
    """False for what others have added: it is shown, and always left."""


class ProvisionedResource(NamedTuple):
    """What provisioning did about one part of the route: it created it, found and left it, or mended it."""

    component: RouteComponent
    name: str
    created: bool
    differences: tuple[Drift, ...] = ()
    """What differs now."""
    mended: tuple[Drift, ...] = ()
    """What differed before."""


@dataclass(frozen=True, slots=True)
class ProvisioningReport:
    """The route as it stands after provisioning.

    Attributes:
        parts: in the order in which they were provisioned.
        queue_address, dead_letter_queue_address: where consumers and operators read.
        rule_identifier: names the rule towards the provider.
        findings: what the check at the end found broken.
    """

    parts: tuple[ProvisionedResource, ...]
    queue_address: str
    dead_letter_queue_address: str
    rule_identifier: str
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the check at the end found nothing broken; what could not be checked is no breakage."""
        return not any(finding.proven for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of one test event.

    Attributes:
        test_interaction_id: the `interaction_id` of the event that was published.
        arrived: whether it was received from the queue.
        seconds: from just before publishing until the verdict.
        messages_seen: how many messages of the queue were looked at, copies not counted twice.
        findings: what is wrong; empty where all is well.
    """

    test_interaction_id: UUID
    arrived: bool
    seconds: float
    messages_seen: int
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the event arrived as it was sent and nothing else went wrong."""
        return self.arrived and not self.findings


def route_test_event(moment: datetime) -> BatchProcessingCompleted:
    """An event like any other, of a tenant of its own, that only tests the route (requirement 8.1)."""
    text = "This event tests the route from the bus to the queue."
    return BatchProcessingCompleted(
        interaction_id=uuid4(),
        tenant_id=uuid4(),
        user_id=TEST_USER_ID,
        account_id=None,
        timestamp=moment,
        data=TranscriptData(raw_transcript=text, cleaned_transcript=text),
    )
