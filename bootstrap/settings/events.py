"""Settings of events: AWS, the transport, and the names of the routes."""

from pydantic import AliasChoices, Field

from bootstrap.choices import EventTexts, EventTransport
from bootstrap.fields import (
    ArchiveName,
    BucketName,
    Bytes,
    Count,
    DeadLetterQueueName,
    EventKinds,
    KmsKey,
    Name,
    OtherQueueName,
    OtherRuleName,
    Place,
    QueueName,
    Region,
    RuleName,
    Seconds,
    Texts,
    TransportName,
    Url,
)
from bootstrap.region import region_of_profile
from bootstrap.settings.sns import SnsSettings
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind
from domain.model.route.route import RouteNames, Routes

DEFAULT_REGION_VARIABLE = "AWS_DEFAULT_REGION"
"""The name that the AWS CLI and boto3 read; `AWS_REGION`, the name of the newer SDKs, wins."""


class EventSettings(SnsSettings):
    """AWS, the transport of events, and the names of their routes."""

    aws_region: Region = Field(
        default_factory=region_of_profile,
        validation_alias=AliasChoices("AWS_REGION", DEFAULT_REGION_VARIABLE),
    )
    aws_endpoint_url: Url | None = None
    eventbridge_bus_name: Name = "default"
    event_source: Name = DEFAULT_EVENT_SOURCE
    event_transport: TransportName = EventTransport.AUTO
    event_kinds: EventKinds = (EventKind.COMPLETED,)
    publish_timeout_seconds: Seconds = Field(default=2.0, le=3)

    event_max_bytes: Bytes = Field(default=1_000_000, ge=1_000, le=2**20)
    payload_bucket: BucketName | None = Field(
        default=None, description="3 to 63 small letters, digits and . -, such as my-transcripts"
    )
    event_texts: Texts = EventTexts.INLINE
    queue_name: QueueName = "meeting-transcripts-queue"
    dlq_name: DeadLetterQueueName = Field(default="meeting-transcripts-dlq", validate_default=True)
    rule_name: RuleName = "capture-transcripts-rule"
    dlq_archive: Place | None = None
    failed_queue_name: OtherQueueName = Field(default="meeting-failures-queue", validate_default=True)
    failed_dlq_name: OtherQueueName = Field(default="meeting-failures-dlq", validate_default=True)
    failed_rule_name: OtherRuleName = Field(default="capture-failures-rule", validate_default=True)
    erased_queue_name: OtherQueueName = Field(default="meeting-erasures-queue", validate_default=True)
    erased_dlq_name: OtherQueueName = Field(default="meeting-erasures-dlq", validate_default=True)
    erased_rule_name: OtherRuleName = Field(default="capture-erasures-rule", validate_default=True)
    archive_name: ArchiveName = "meeting-transcripts-archive"
    archive_days: Count | None = Field(
        default=None, ge=0, le=36_500, description="whole days, such as 30; 0 for good"
    )
    queue_kms_key: KmsKey | None = Field(
        default=None, description="the id, the ARN or the alias of a key, such as alias/transcripts"
    )

    @property
    def is_sns(self) -> bool:
        """True where a topic takes the place of bus, rule and target; SNS keeps no archive of events."""
        return self.event_transport == EventTransport.SNS

    @property
    def event_destination(self) -> str:
        """Name of the bus or of the topic, for traces."""
        return self.sns_topic_name if self.is_sns else self.eventbridge_bus_name

    @property
    def always_by_reference(self) -> bool:
        """True if every completed event refers to its transcripts, however short they are."""
        return self.event_texts is EventTexts.REFERENCE

    @property
    def routes(self) -> Routes:
        """Names of the route of each kind of event, also of a kind that is not sent."""
        return {kind: self._route(kind) for kind in EventKind}

    def _route(self, kind: EventKind) -> RouteNames:
        rule, queue, dead_letters = (
            getattr(self, kind.prefix.replace("-", "_") + name)
            for name in ("rule_name", "queue_name", "dlq_name")
        )
        is_archived = kind is EventKind.COMPLETED and not self.is_sns
        return RouteNames(
            self.eventbridge_bus_name,
            rule,
            queue,
            dead_letters,
            self.event_source,
            self.archive_name if is_archived else "",
            kind,
            topic=self.sns_topic_name,
        )
