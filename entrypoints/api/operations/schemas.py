"""Schemas of the answers to operators; no answer but a message that was asked for has a transcript."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import DeadLetter
from domain.model.outbox import OutboxRecord, OutboxState
from domain.model.route.route import Finding, RouteComponent, Verification
from domain.model.route.status import Inspection, ResourceStatus
from domain.services.dead_letters.dead_letters import BatchReport
from domain.services.dead_letters.redrive import RedriveReport


class OutboxCounts(BaseModel):
    """Number of events in each state."""

    waiting: int
    rejected: int
    published: int
    oldest_waiting_seconds: float = Field(description="Age of the oldest waiting event; 0 if none waits.")


class OutboxEvent(BaseModel):
    """Event in the outbox, without its texts."""

    interaction_id: UUID
    tenant_id: UUID
    state: OutboxState
    added_at: datetime
    attempts: int = Field(description="Attempts that failed.")
    due_at: datetime | None = Field(description="Time of the next attempt; null unless the event waits.")
    published_at: datetime | None
    event_id: str | None = Field(description="Receipt of the bus.")
    reason: str | None = Field(description="The last failure, if there was one.")

    @classmethod
    def of(cls, record: OutboxRecord) -> Self:
        """Describe a record."""
        return cls.model_validate(record, from_attributes=True)


class OutboxPage(BaseModel):
    """Counts of the outbox, and the events that were added last."""

    counts: OutboxCounts
    events: list[OutboxEvent]


class EventsRetried(BaseModel):
    """Number of events that are due now."""

    events: int


class Difference(BaseModel):
    """Attribute of a resource that differs from the route's definition."""

    attribute: str
    wanted: str
    found: str
    ours: bool = Field(description="False for an addition of others, which is always left.")


class Load(BaseModel):
    """Approximate number of messages in a queue."""

    waiting: int
    in_flight: int
    oldest_seconds: float | None


class Resource(BaseModel):
    """Resource of a route."""

    component: RouteComponent
    name: str
    exists: bool | None = Field(description="Null where the resource cannot be read; see `problem`.")
    ok: bool
    state: str | None
    differences: list[Difference]
    problem: str | None
    load: Load | None

    @classmethod
    def of(cls, status: ResourceStatus) -> Self:
        """Describe the status of a resource."""
        return cls(
            component=status.component,
            name=status.name,
            exists=status.exists,
            ok=status.ok,
            state=status.state or None,
            differences=[Difference(**each._asdict()) for each in status.differences],
            problem=status.problem or None,
            load=Load.model_validate(status.load, from_attributes=True) if status.load else None,
        )


class Route(BaseModel):
    """Route of one kind of events; `problem` is the reason why it cannot be inspected."""

    kind: EventKind
    ok: bool
    problem: str | None = None
    resources: list[Resource] = []
    other_targets: list[str] = Field([], description="Targets of the rule that others have added.")

    @classmethod
    def of(cls, kind: EventKind, found: Inspection | str) -> Self:
        """Describe an inspected route, or the reason why it could not be inspected."""
        if isinstance(found, str):
            return cls(kind=kind, ok=False, problem=found)
        resources = [Resource.of(each) for each in found.resources]
        return cls(kind=kind, ok=found.ok, resources=resources, other_targets=[*found.other_targets])


class Routes(BaseModel):
    """Routes of the kinds of events that are sent; none where the transport has no route."""

    transport: str
    ok: bool
    routes: list[Route]


class RouteFinding(BaseModel):
    """Fault of the route, or a component that could not be checked."""

    component: RouteComponent
    problem: str
    evidence: str
    remedy: str
    proven: bool

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Describe a finding."""
        return cls(**finding._asdict())


class RouteVerification(BaseModel):
    """Result of sending one test event through a route."""

    kind: EventKind
    ok: bool
    test_interaction_id: UUID
    arrived: bool
    seconds: float
    messages_seen: int
    findings: list[RouteFinding]

    @classmethod
    def of(cls, kind: EventKind, found: Verification) -> Self:
        """Describe the result."""
        return cls(
            kind=kind,
            ok=found.ok,
            test_interaction_id=found.test_interaction_id,
            arrived=found.arrived,
            seconds=found.seconds,
            messages_seen=found.messages_seen,
            findings=[RouteFinding.of(each) for each in found.findings],
        )


class Violation(BaseModel):
    """Violation of the event contract."""

    place: str = Field(description="JSON path in the message.")
    what: str


class Undelivered(BaseModel):
    """Reason why the bus gave up delivering a message."""

    code: str
    message: str
    attempts: int | None
    exhausted: str


class Letter(BaseModel):
    """Dead letter, without its body."""

    id: str
    interaction_id: UUID | None
    tenant_id: UUID | None
    version: str | None
    sent_at: datetime | None
    receive_count: int = Field(description="With the look of this list, which is a receive.")
    size: int = Field(description="Bytes of the body.")
    undelivered: Undelivered | None = Field(description="Null where consumers received it too often.")
    problems: list[Violation] = Field(description="Violations of the contract; empty where it is kept.")

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        """Describe a dead letter."""
        reading, failure = letter.reading, letter.delivery_failure
        return cls(
            id=letter.id,
            interaction_id=reading.interaction_id,
            tenant_id=reading.tenant_id,
            version=reading.version,
            sent_at=letter.sent_at,
            receive_count=letter.receive_count,
            size=letter.size,
            undelivered=Undelivered(**failure._asdict()) if failure else None,
            problems=[Violation(**each._asdict()) for each in reading.problems],
        )


class LetterCounts(BaseModel):
    """Approximate number of messages in the dead-letter queue."""

    waiting: int
    in_flight: int = Field(description="Held by other readers.")


class Letters(BaseModel):
    """Dead letters that no other reader holds."""

    counts: LetterCounts
    dead_letters: list[Letter]


class LetterWithBody(Letter):
    """Dead letter with its body, transcripts included."""

    body: str


class Archived(BaseModel):
    """Result of moving dead letters to an archive."""

    ok: bool
    archived: int
    undeleted: int = Field(description="Messages that may be in the queue as well: deleting them failed.")
    skipped: int = Field(description="Messages that arrived meanwhile, and were left alone.")
    problem: str | None
    place: str = Field(description="Folder or S3 address of the archive.")

    @classmethod
    def of(cls, report: BatchReport, place: str) -> Self:
        """Describe the result."""
        return cls(
            ok=report.ok,
            archived=report.done,
            undeleted=report.undeleted,
            skipped=report.skipped,
            problem=report.problem or None,
            place=place,
        )


class Redriven(BaseModel):
    """Result of moving dead letters back to the queue."""

    ok: bool
    moved: int
    undeleted: int = Field(description="Messages that may be in both queues: deleting them failed.")
    failed: int = Field(description="Messages that could not be copied, and stay dead letters.")
    skipped: int = Field(description="Messages that arrived meanwhile, and were left alone.")
    erased: int = Field(description="Messages whose transcripts were erased, and that were left alone.")
    problem: str | None

    @classmethod
    def of(cls, report: RedriveReport) -> Self:
        """Describe the result."""
        return cls(
            ok=report.ok,
            moved=report.moved,
            undeleted=report.undeleted,
            failed=report.failed,
            skipped=report.skipped,
            erased=report.erased,
            problem=report.problem or None,
        )
