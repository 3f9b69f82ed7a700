"""Factories of the transport of events."""

from typing import TYPE_CHECKING, Any

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.aws.replay.replays import EventBridgeReplays
from adapters.aws.s3.payload_store import S3PayloadStore
from adapters.aws.sns.publisher import SnsPublisher
from adapters.aws.sns.topic import TopicAddress
from bootstrap.aws.clients import AwsAccess, partition_of, s3_client, sts_client
from bootstrap.aws.credentials import credentials_found
from bootstrap.choices import EventTransport
from bootstrap.factories.route import RouteContainer
from bootstrap.settings import Settings
from bootstrap.transports import has_bus, is_on_aws
from domain.model.errors import ConfigurationError
from domain.model.events.kinds import EventKind
from domain.services.relay.route_guard import RouteCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_events import EventBridgeClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient


TOPIC_SECONDS = 4.5
"""Longest wait for STS to name the account of the topic, in three tries."""


def resolve_transport(settings: Settings) -> str:
    """Resolve `auto`: EventBridge where the default chain finds credentials, else no-op (requirement 9.5)."""
    if settings.event_transport != EventTransport.AUTO:
        return settings.event_transport
    return EventTransport.EVENTBRIDGE if credentials_found() else EventTransport.NOOP


def events_of(transport: str) -> str:
    """Tell where events go first: `bus` for every transport that has one, or the transport's own name."""
    return "bus" if has_bus(transport) else str(transport)


def why_disabled(settings: Settings) -> str:
    """Say why no event is published."""
    if settings.event_transport == EventTransport.AUTO:
        return "no AWS credentials were found"
    return f"EVENT_TRANSPORT={settings.event_transport}"


def event_bridge_publisher(settings: Settings, client: "EventBridgeClient") -> EventBridgePublisher:
    """Build a publisher to the configured bus; the client decides the time-outs."""
    return EventBridgePublisher(
        client,
        bus_name=settings.eventbridge_bus_name,
        source=settings.event_source,
        region=settings.aws_region,
        max_bytes=settings.event_max_bytes,
    )


def topic_address(settings: Settings, access: AwsAccess) -> TopicAddress:
    """Build the address of the topic, for which STS is asked on first use."""
    return TopicAddress(
        sts_client(access, timeout_seconds=TOPIC_SECONDS),
        partition=partition_of(access),
        region=settings.aws_region,
        name=settings.sns_topic_name,
    )


def sns_publisher(settings: Settings, topic: TopicAddress, client: "SNSClient") -> SnsPublisher:
    """Build a publisher to the configured topic; the client decides the time-outs."""
    return SnsPublisher(client, topic=topic, source=settings.event_source, max_bytes=settings.sns_max_bytes)


def payload_store(
    settings: Settings, access: AwsAccess, client: "Callable[[AwsAccess], S3Client]" = s3_client
) -> S3PayloadStore | None:
    """Build the store of transcripts that do not fit into an event; None without PAYLOAD_BUCKET."""
    if settings.payload_bucket is None:
        return None
    return S3PayloadStore(client(access), bucket=settings.payload_bucket)


def route_checks(
    settings: Settings, transport: str, routes: dict[EventKind, RouteContainer]
) -> list[RouteCheck]:
    """List the check of the route of each kind of event that is sent; only AWS has a route to check."""
    if not is_on_aws(transport):
        return []
    return [routes[kind].feed_diagnosis().findings for kind in settings.event_kinds]


def replays_for(settings: Settings, *parts: Any) -> EventBridgeReplays:  # noqa: ANN401 - those of the class
    """Build the replays of the archive.

    Raises:
        ConfigurationError: events go to SNS, which keeps none.
    """
    if settings.is_sns:
        raise ConfigurationError("EVENT_TRANSPORT=sns: SNS keeps no events, so there is nothing to replay")
    return EventBridgeReplays(*parts)
