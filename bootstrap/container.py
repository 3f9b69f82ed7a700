"""Composition root: the container that builds and connects all objects."""

from functools import partial
from typing import TYPE_CHECKING

from dependency_injector import providers
from dependency_injector.containers import DeclarativeContainer

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.aws.replay.replays import EventBridgeReplays
from adapters.aws.s3.payload_store import S3PayloadStore
from adapters.cleaning.rules import RulesCleaner
from adapters.in_memory import InMemoryEventPublisher, InProcessBell
from adapters.noop import NoOpEventPublisher
from adapters.sql.idempotency import SqlIdempotency
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.processed_events.processed_events import SqlProcessedEvents
from bootstrap.aws.clients import (
    AwsAccess,
    cloudwatch_client,
    events_client,
    kms_client,
    polling_client,
    publishing_client,
    relaying_client,
    s3_client,
    sqs_client,
)
from bootstrap.aws.credentials import credentials_found
from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS
from bootstrap.choices import EventTransport
from bootstrap.factories.database import prepare_database
from bootstrap.factories.jobs import (
    admitted_by,
    broker_bell,
    job_announcement,
    recording_sources,
    recording_store,
    worker_options,
)
from bootstrap.factories.openai import openai_cleaner
from bootstrap.factories.route import RouteContainer
from bootstrap.factories.transcriber import transcriber_for
from bootstrap.settings import Settings
from domain.model.events.kinds import EventKind
from domain.services.batch_processing import BatchProcessingService
from domain.services.claim_check import ClaimCheck
from domain.services.idempotency import IdempotentRequests
from domain.services.jobs.execution import JobExecution
from domain.services.jobs.following import JobFollower
from domain.services.jobs.heartbeat import LeaseHeartbeat
from domain.services.jobs.jobs import JobService
from domain.services.jobs.publications import JobPublications
from domain.services.jobs.retention import JobSweeper
from domain.services.jobs.worker import JobWorker
from domain.services.maintenance import Housekeeping
from domain.services.publishing.event_publisher import EventPublisher
from domain.services.publishing.outbox_publisher import OutboxPublisher
from domain.services.relay.dispatcher import DEFAULT_THREADS, BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.relay.route_guard import RouteCheck, RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from domain.services.route.replay import EventReplayService
from ports.transcriber_port import TranscriberPort

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient


def resolve_transport(settings: Settings) -> EventTransport:
    """Resolve `auto`: EventBridge where the default chain finds credentials, else no-op (requirement 9.5)."""
    if settings.event_transport is not EventTransport.AUTO:
        return settings.event_transport
    return EventTransport.EVENTBRIDGE if credentials_found() else EventTransport.NOOP


def _why_disabled(settings: Settings) -> str:
    if settings.event_transport is EventTransport.AUTO:
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


def payload_store(settings: Settings, access: AwsAccess) -> S3PayloadStore | None:
    """Build the store of transcripts that do not fit into an event; None without PAYLOAD_BUCKET."""
    if settings.payload_bucket is None:
        return None
    return S3PayloadStore(s3_client(access), bucket=settings.payload_bucket)


def route_checks(settings: Settings, routes: dict[EventKind, RouteContainer]) -> list[RouteCheck]:
    """List the check of the route of each kind of event that is sent."""
    return [routes[kind].bus_diagnosis().findings for kind in settings.event_kinds]


class Container(DeclarativeContainer):
    """Objects for the entrypoints; each is built once, on first use."""

    settings = providers.Dependency(instance_of=Settings)
    aws_timeout = providers.Dependency(instance_of=float)  # seconds; of operators' commands

    aws_access = providers.Singleton(
        AwsAccess,
        region=settings.provided.aws_region,
        endpoint_url=settings.provided.aws_endpoint_url,
        timeout_seconds=aws_timeout,
    )
    event_bridge = providers.Singleton(
        event_bridge_publisher, settings, providers.Singleton(publishing_client, aws_access)
    )
    patient_event_bridge = providers.Singleton(
        event_bridge_publisher,
        settings,
        providers.Singleton(relaying_client, aws_access, threads=DEFAULT_THREADS),
    )
    payloads = providers.Singleton(payload_store, settings, aws_access)

    buses = providers.Singleton(events_client, aws_access)
    queues = providers.Singleton(sqs_client, aws_access)
    polling = providers.Singleton(polling_client, aws_access)
    kms = providers.Singleton(kms_client, aws_access)
    cloudwatch = providers.Singleton(cloudwatch_client, aws_access)
    _route = partial(
        providers.Container,
        RouteContainer,
        settings=settings,
        aws_access=aws_access,
        event_bridge=event_bridge,
        buses=buses,
        queues=queues,
        polling=polling,
        kms=kms,
        cloudwatch=cloudwatch,
    )
    completed = _route(names=settings.provided.routes[EventKind.COMPLETED])
    failed = _route(names=settings.provided.routes[EventKind.FAILED])
    routes = providers.Dict({EventKind.COMPLETED: completed, EventKind.FAILED: failed})
    replays = providers.Singleton(
        EventReplayService, providers.Singleton(EventBridgeReplays, buses, queues, completed.names)
    )

    database = providers.Singleton(
        prepare_database,
        settings.provided.database_url,
        on_network=settings.provided.database_allow_network_file_system,
    )
    outbox = providers.Singleton(SqlOutbox, database, keep_days=settings.provided.outbox_keep_days)
    idempotency = providers.Singleton(SqlIdempotency, database)
    processed_events = providers.Factory(SqlProcessedEvents, database)  # called with group=…
    breaker = providers.Singleton(CircuitBreaker)
    relay = providers.Singleton(
        Relay,
        outbox,
        providers.Singleton(
            BatchDispatcher,
            providers.Singleton(ClaimCheck, patient_event_bridge, payloads),
            breaker,
            source=settings.provided.event_source,
            call_characters=settings.provided.event_max_bytes,
        ),
        breaker,
        route=providers.Singleton(RouteGuard, providers.Singleton(route_checks, settings, routes), breaker),
    )
    delivery = providers.Singleton(
        OutboxPublisher,
        outbox,
        providers.Singleton(ClaimCheck, event_bridge, payloads),
        breaker,
        wake=relay.provided.wake,
        source=settings.provided.event_source,
        timeout_seconds=settings.provided.publish_timeout_seconds,
    )

    idempotent_requests = providers.Singleton(IdempotentRequests, idempotency.provider)
    housekeeping = providers.Singleton(Housekeeping, outbox, idempotency)

    event_transport = providers.Singleton(resolve_transport, settings)
    events = providers.Selector(
        event_transport,
        eventbridge=delivery,
        memory=providers.Singleton(InMemoryEventPublisher),
        noop=providers.Singleton(NoOpEventPublisher, providers.Callable(_why_disabled, settings)),
    )
    event_publisher = providers.Singleton(EventPublisher, events, source=settings.provided.event_source)

    cleaner = providers.Selector(
        settings.provided.cleaner,
        rules=providers.Singleton(RulesCleaner),
        openai=providers.Singleton(openai_cleaner, settings),
    )
    transcriber = providers.Singleton(transcriber_for, settings)
    batch_processing = providers.Singleton(
        BatchProcessingService,
        transcriber,
        cleaner,
        event_publisher,
    )

    jobs = providers.Singleton(SqlJobs, database)
    recordings = providers.Singleton(recording_store, settings, aws_access.provider)
    recording_sources = providers.Singleton(recording_sources, settings, aws_access.provider, recordings)
    job_bell = providers.Singleton(InProcessBell, providers.Callable(broker_bell, settings))
    job_announcement = providers.Singleton(job_announcement, settings, event_transport, relay.provider)
    job_service = providers.Singleton(
        JobService,
        jobs,
        recordings,
        recording_sources,
        job_bell,
        job_announcement,
        queue=settings.provided.job_queue,
    )
    job_heartbeat = providers.Singleton(LeaseHeartbeat, jobs)
    job_worker_options = providers.Callable(worker_options, settings)
    job_worker = providers.Singleton(
        JobWorker,
        jobs,
        providers.Singleton(
            JobExecution, jobs, recordings, recording_sources, transcriber, cleaner, job_announcement
        ),
        job_heartbeat,
        providers.Callable(admitted_by, transcriber).provider,
        job_worker_options,
    )
    job_follower = providers.Singleton(JobFollower, jobs)
    job_publications = providers.Singleton(JobPublications, outbox)
    job_sweeper = providers.Singleton(
        JobSweeper,
        jobs,
        recordings,
        job_bell,
        jobs_keep_days=settings.provided.jobs_keep_days,
        recordings_keep_days=settings.provided.recording_keep_days,
    )


def build_container(
    settings: Settings,
    transcriber: TranscriberPort | None = None,
    *,
    aws_timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> Container:
    """Build a container that shares nothing with others; without a transcriber, it builds one.

    `aws_timeout` is the longest wait of an operator's command for one call to AWS, in seconds.
    """
    container = Container(
        settings=providers.Object(settings), aws_timeout=providers.Object(float(aws_timeout))
    )
    if transcriber is not None:
        container.transcriber.override(providers.Object(transcriber))
    return container
