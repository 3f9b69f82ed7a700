"""The route of the events: its names, components, findings and drift (requirements 5 to 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind

VISIBILITY_SECONDS = 30
"""Visibility timeout of the queue (requirement 5.2)."""

RETENTION_SECONDS = 14 * 24 * 3600
"""Retention of messages in both queues (requirements 5.3 and 15.2)."""

MAX_RECEIVES = 3
"""Receives without a deletion after which a message is dead-lettered (requirement 5.5)."""

MAX_MESSAGE_BYTES = 2**20
"""Message size limit of both queues; a smaller one would refuse events that the bus has accepted."""

DELIVERY_SECONDS = 24 * 3600
"""Age at which the bus gives up delivering an event to the queue."""

DELIVERY_ATTEMPTS = 185
"""Retries of a delivery; after the last one the event goes to the dead-letter queue."""


DEFAULT_TOPIC = "meeting-transcripts-topic"


@dataclass(frozen=True, slots=True)
class RouteNames:
    """Names of the resources of one kind's route; the defaults are the requirements'."""

    bus: str = "default"
    rule: str = "capture-transcripts-rule"
    queue: str = "meeting-transcripts-queue"
    dead_letter_queue: str = "meeting-transcripts-dlq"
    source: str = DEFAULT_EVENT_SOURCE
    archive: str = "meeting-transcripts-archive"  # empty for a route that is never archived
    kind: EventKind = EventKind.COMPLETED
    topic: str = DEFAULT_TOPIC  # of all kinds, where SNS takes the place of bus and rule

    def variable(self, name: str) -> str:
        """Return the variable that sets a name of this route: `name` itself for completed events."""
        return self.kind.prefix.upper().replace("-", "_") + name

    @property
    def provision_command(self) -> str:
        """Command that provisions this route."""
        command = "transcripts provision"
        return command if self.kind is EventKind.COMPLETED else f"{command} --kinds {self.kind}"


Routes = Mapping[EventKind, RouteNames]
"""The route of each kind of event; all begin at the same bus."""

DEFAULT_ROUTES: Routes = {
    EventKind.COMPLETED: RouteNames(),
    EventKind.FAILED: RouteNames(
        rule="capture-failures-rule",
        queue="meeting-failures-queue",
        dead_letter_queue="meeting-failures-dlq",
        archive="",
        kind=EventKind.FAILED,
    ),
    EventKind.ERASED: RouteNames(
        rule="capture-erasures-rule",
        queue="meeting-erasures-queue",
        dead_letter_queue="meeting-erasures-dlq",
        archive="",
        kind=EventKind.ERASED,
    ),
}


class RouteComponent(StrEnum):
    """A component of the route that can be broken, in the order in which events pass them."""

    PAYLOAD_BUCKET = "payload bucket"
    PUBLISH = "publish"
    BUS = "bus"
    RULE = "rule"
    PATTERN = "pattern"
    TARGET = "target"
    TOPIC = "topic"
    SUBSCRIPTION = "subscription"
    FILTER_POLICY = "filter policy"
    QUEUE = "queue"
    QUEUE_POLICY = "queue policy"
    ENCRYPTION = "encryption"
    CONSUMER = "consumer"
    DEAD_LETTER_QUEUE = "dead-letter queue"
    ARCHIVE = "archive"
    NAME = "name"
    """The name of an endpoint, of a transport that is not on AWS; the next three are its as well."""
    ADDRESS = "address"
    TLS = "TLS"
    ENDPOINT = "endpoint"


class Finding(NamedTuple):
    """A fault of the route, or a component that could not be checked."""

    component: RouteComponent
    problem: str
    evidence: str
    """Observation that shows the fault."""
    remedy: str
    """Action that corrects the fault."""
    proven: bool = True
    """False where the component could not be checked and may be sound."""


class Drift(NamedTuple):
    """An attribute of an existing resource that differs from the route's definition."""

    attribute: str
    wanted: str
    found: str
    ours: bool = True
    """False for additions of others, which are shown and always left."""


class ProvisionedResource(NamedTuple):
    """Result of provisioning one resource: created, existing, or mended."""

    component: RouteComponent
    name: str
    created: bool
    differences: tuple[Drift, ...] = ()
    """Differences that remain."""
    mended: tuple[Drift, ...] = ()
    """Differences that were corrected."""


@dataclass(frozen=True, slots=True)
class ProvisioningReport:
    """Result of provisioning the route."""

    resources: tuple[ProvisionedResource, ...]  # in the order in which they were provisioned
    queue_address: str  # for consumers
    dead_letter_queue_address: str  # for operators
    rule_identifier: str  # the provider's identifier of the rule, or of the topic in its place
    findings: tuple[Finding, ...] = ()  # faults that the final check found

    @property
    def ok(self) -> bool:
        """True where the final check proved no fault; a component that was not checked counts as sound."""
        return not any(finding.proven for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of sending one test event through the route."""

    test_interaction_id: UUID  # the `interaction_id` of the event that was published
    arrived: bool  # whether the event was received from the queue
    seconds: float  # from just before publishing until the end of the verification
    messages_seen: int  # number of messages examined in the queue, copies not counted twice
    findings: tuple[Finding, ...] = ()  # faults found; empty where the route works

    @property
    def ok(self) -> bool:
        """True where the event arrived as it was sent and no fault was found."""
        return self.arrived and not self.findings
