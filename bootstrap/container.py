"""The composition root: what is made of what, on one screen."""

from dependency_injector import providers
from dependency_injector.containers import DeclarativeContainer

from adapters.aws.event_bridge import EventBridgePublisher
from adapters.aws.infrastructure import AwsEventInfrastructure
from adapters.aws.sqs import SqsQueue
from adapters.cleaning.rules import RulesCleaner
from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from adapters.speech.pool import WorkerPoolTranscriber
from bootstrap.aws import (
    AwsAccess,
    credentials_found,
    events_client,
    kms_client,
    publishing_client,
    sqs_client,
)
from bootstrap.settings import EventTransport, Settings
from domain.model.infrastructure import RouteNames
from domain.services.batch_processing import BatchProcessingService
from domain.services.event_publisher import EventPublisher
from domain.services.event_verification import EventVerificationService


def resolve_transport(settings: Settings) -> EventTransport:
    """`auto` is EventBridge where the default chain finds credentials, else no-op (requirement 9.5)."""
    if settings.event_transport is not EventTransport.AUTO:
        return settings.event_transport
    return EventTransport.EVENTBRIDGE if credentials_found() else EventTransport.NOOP


def _why_disabled(settings: Settings) -> str:
    if settings.event_transport is EventTransport.AUTO:
        return "no AWS credentials were found"
    return f"EVENT_TRANSPORT={settings.event_transport}"


class Container(DeclarativeContainer):
    """Everything the doors may ask for; each thing is made once, when it is first asked for."""

    settings = providers.Dependency(instance_of=Settings)

    aws_access = providers.Singleton(
        AwsAccess, region=settings.provided.aws_region, endpoint_url=settings.provided.aws_endpoint_url
    )
    event_bridge = providers.Singleton(
        EventBridgePublisher,
        providers.Singleton(publishing_client, aws_access),
        bus_name=settings.provided.eventbridge_bus_name,
        source=settings.provided.event_source,
        region=settings.provided.aws_region,
    )
    event_transport = providers.Singleton(resolve_transport, settings)
    events = providers.Selector(
        event_transport,
        eventbridge=event_bridge,
        memory=providers.Singleton(InMemoryEventPublisher),
        noop=providers.Singleton(NoOpEventPublisher, providers.Callable(_why_disabled, settings)),
    )
    event_publisher = providers.Singleton(EventPublisher, events, source=settings.provided.event_source)

    cleaner = providers.Selector(settings.provided.cleaner, rules=providers.Singleton(RulesCleaner))
    transcriber = providers.Singleton(
        WorkerPoolTranscriber,
        settings.provided.transcriber.value,
        workers=settings.provided.transcriber_workers,
        waiting_room=settings.provided.waiting_room,
        max_audio_seconds=settings.provided.max_audio_seconds,
        stall_seconds=settings.provided.transcriber_stall_seconds,
    )
    batch_processing = providers.Singleton(
        BatchProcessingService,
        transcriber,
        cleaner,
        event_publisher,
        publish_timeout_seconds=settings.provided.publish_timeout_seconds,
    )

    route_names = providers.Singleton(
        RouteNames,
        bus=settings.provided.eventbridge_bus_name,
        rule=settings.provided.rule_name,
        queue=settings.provided.queue_name,
        dead_letter_queue=settings.provided.dlq_name,
        source=settings.provided.event_source,
    )
    queues = providers.Singleton(sqs_client, aws_access)
    queue = providers.Singleton(SqsQueue, queues, name=settings.provided.queue_name)
    dead_letters = providers.Singleton(SqsQueue, queues, name=settings.provided.dlq_name)
    infrastructure = providers.Singleton(
        AwsEventInfrastructure,
        providers.Singleton(events_client, aws_access),
        queues,
        providers.Singleton(kms_client, aws_access),
        route_names,
    )
    verification = providers.Singleton(
        EventVerificationService, event_bridge, queue, dead_letters, infrastructure
    )


def build_container(settings: Settings) -> Container:
    """A container of its own for each caller; nothing in it is shared with another one."""
    return Container(settings=providers.Object(settings))
