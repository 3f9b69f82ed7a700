"""Composition root: the container that builds and connects all objects."""

from functools import partial

from adapters.cleaning.rules import RulesCleaner
from adapters.in_memory import InMemoryEventPublisher, InProcessBell
from adapters.noop import NoOpEventPublisher
from adapters.sql.api_keys import SqlApiKeys
from adapters.sql.erasures.erasures import SqlErasures
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
    sns_client,
    sqs_client,
)
from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS
from bootstrap.factories.access import authenticator_for, tokens_for
from bootstrap.factories.database import prepare_database
from bootstrap.factories.erasure import eraser_for
from bootstrap.factories.events import events_of, replays_for, route_checks, why_disabled
from bootstrap.factories.jobs import (
    admitted_by,
    broker_bell,
    job_announcement,
    recording_sources,
    recording_store,
    worker_options,
)
from bootstrap.factories.observation import observed_events, observed_transcriber
from bootstrap.factories.openai import openai_cleaner
from bootstrap.factories.playback import playback_copies
from bootstrap.factories.redaction import redacted_cleaner, redacted_transcriber, redaction_for
from bootstrap.factories.route import RouteContainer, routes_of
from bootstrap.factories.telemetry import metered_authenticator, metrics_for, request_metrics
from bootstrap.factories.tracing import (
    job_execution,
    trace_port,
    traced_cleaner,
    traced_jobs,
    traced_outbox,
    traced_recordings,
)
from bootstrap.factories.transcriber import transcriber_for
from bootstrap.factories.transports import TransportContainer
from bootstrap.injection import DeclarativeContainer, providers
from bootstrap.settings import Settings
from domain.model.events.kinds import EventKind
from domain.services.api_keys import ApiKeyService
from domain.services.batch_processing import BatchProcessingService
from domain.services.erasure.erasure import TranscriptErasure, TranscriptRetention
from domain.services.idempotency import IdempotentRequests
from domain.services.jobs.following import JobFollower
from domain.services.jobs.heartbeat import LeaseHeartbeat
from domain.services.jobs.jobs import JobService
from domain.services.jobs.publications import JobPublications
from domain.services.jobs.retention import JobSweeper
from domain.services.jobs.worker import JobWorker
from domain.services.maintenance import Housekeeping
from domain.services.publishing.event_publisher import EventPublisher
from domain.services.publishing.outbox_publisher import OutboxPublisher
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.relay.route_guard import RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from domain.services.route.replay import EventReplayService
from ports.trace_port import TracePort
from ports.transcriber_port import TranscriberPort


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
    metrics = providers.Singleton(metrics_for, settings)  # None without METRICS_PORT
    request_metrics = providers.Singleton(request_metrics, metrics)
    trace = providers.Singleton(trace_port, settings)
    _transport = providers.Container(TransportContainer, settings=settings, aws_access=aws_access)
    event_transport = _transport.event_transport
    payloads = _transport.payloads
    sender = _transport.sender
    patient_sender = _transport.patient_sender
    transport_verification = _transport.verification

    buses = providers.Singleton(events_client, aws_access)
    queues = providers.Singleton(sqs_client, aws_access)
    polling = providers.Singleton(polling_client, aws_access)
    topics = providers.Singleton(sns_client, aws_access)
    kms = providers.Singleton(kms_client, aws_access)
    cloudwatch = providers.Singleton(cloudwatch_client, aws_access)
    database = providers.Singleton(
        prepare_database,
        settings.provided.database_url,
        on_network=settings.provided.database_allow_network_file_system,
    )
    erasures = providers.Singleton(SqlErasures, database)
    _route = partial(
        providers.Container,
        RouteContainer,
        settings=settings,
        aws_access=aws_access,
        transport=_transport,
        buses=buses,
        queues=queues,
        polling=polling,
        topics=topics,
        kms=kms,
        cloudwatch=cloudwatch,
        erasures=erasures,
    )
    completed = _route(names=settings.provided.routes[EventKind.COMPLETED])
    routes = routes_of(completed, _route, settings)
    replays = providers.Singleton(
        EventReplayService, providers.Singleton(replays_for, settings, buses, queues, completed.names)
    )

    outbox = providers.Singleton(
        traced_outbox,
        providers.Singleton(SqlOutbox, database, keep_days=settings.provided.outbox_keep_days),
        trace,
        settings.provided.event_destination,
    )
    idempotency = providers.Singleton(SqlIdempotency, database)
    processed_events = providers.Factory(SqlProcessedEvents, database)  # called with group=…
    breaker = providers.Singleton(CircuitBreaker)
    route_guard = providers.Singleton(
        RouteGuard, providers.Singleton(route_checks, settings, event_transport, routes), breaker
    )
    relay = providers.Singleton(
        Relay,
        outbox,
        providers.Singleton(
            BatchDispatcher,
            providers.Singleton(observed_events, patient_sender, settings, metrics, trace, path="relay"),
            breaker,
            source=settings.provided.event_source,
            call_characters=settings.provided.event_max_bytes,
        ),
        breaker,
        route=route_guard,
        lease_seconds=_transport.relay_lease,
    )
    delivery = providers.Singleton(
        OutboxPublisher,
        outbox,
        providers.Singleton(observed_events, sender, settings, metrics, trace, path="inline"),
        breaker,
        wake=relay.provided.wake,
        source=settings.provided.event_source,
        timeout_seconds=settings.provided.publish_timeout_seconds,
    )

    api_keys = providers.Singleton(SqlApiKeys, database)
    api_key_service = providers.Singleton(ApiKeyService, api_keys)
    tokens = providers.Singleton(tokens_for, settings)
    authenticator = providers.Singleton(
        metered_authenticator,
        providers.Singleton(authenticator_for, settings, api_keys.provider, tokens.provider),
        metrics,
    )

    idempotent_requests = providers.Singleton(IdempotentRequests, idempotency.provider)
    housekeeping = providers.Singleton(Housekeeping, outbox, idempotency)

    events = providers.Selector(
        providers.Callable(events_of, event_transport),
        bus=delivery,
        memory=providers.Singleton(InMemoryEventPublisher),
        noop=providers.Singleton(NoOpEventPublisher, providers.Callable(why_disabled, settings)),
    )
    event_publisher = providers.Singleton(EventPublisher, events, source=settings.provided.event_source)

    cleaner = providers.Selector(
        settings.provided.cleaner,
        rules=providers.Singleton(RulesCleaner),
        openai=providers.Singleton(openai_cleaner, settings),
    )
    transcriber = providers.Singleton(transcriber_for, settings, trace)
    observed_transcriber = providers.Singleton(observed_transcriber, transcriber, settings, metrics, trace)
    redaction = providers.Singleton(redaction_for, settings)
    _transcriber = providers.Singleton(redacted_transcriber, observed_transcriber, redaction)
    _cleaner = providers.Singleton(
        redacted_cleaner, providers.Singleton(traced_cleaner, cleaner, trace), redaction
    )
    batch_processing = providers.Singleton(BatchProcessingService, _transcriber, _cleaner, event_publisher)

    jobs = providers.Singleton(traced_jobs, providers.Singleton(SqlJobs, database), trace)
    recordings = providers.Singleton(
        traced_recordings,
        providers.Singleton(recording_store, settings, aws_access.provider, database.provider),
        trace,
    )
    playback = providers.Singleton(playback_copies, settings, recordings)
    recording_sources = providers.Singleton(recording_sources, settings, aws_access.provider, recordings)
    job_bell = providers.Singleton(InProcessBell, providers.Callable(broker_bell, settings))
    job_announcement = providers.Singleton(job_announcement, settings, event_transport, relay.provider)
    eraser = providers.Singleton(
        eraser_for, settings, erasures, recordings, payloads, event_transport, relay.provider
    )
    job_service = providers.Singleton(
        JobService,
        jobs,
        recordings,
        recording_sources,
        job_bell,
        job_announcement,
        eraser,
        queue=settings.provided.job_queue,
    )
    job_heartbeat = providers.Singleton(LeaseHeartbeat, jobs)
    job_worker_options = providers.Callable(worker_options, settings)
    job_worker = providers.Singleton(
        JobWorker,
        jobs,
        providers.Singleton(
            job_execution,
            trace,
            jobs,
            recordings,
            recording_sources,
            _transcriber,
            _cleaner,
            job_announcement,
            job_bell,
        ),
        job_heartbeat,
        providers.Callable(admitted_by, transcriber).provider,
        job_worker_options,
    )
    job_follower = providers.Singleton(JobFollower, jobs)
    job_publications = providers.Singleton(JobPublications, outbox)
    transcript_erasure = providers.Singleton(TranscriptErasure, erasures, eraser, job_service.provided.cancel)
    _retention = providers.Singleton(
        TranscriptRetention, transcript_erasure.provider, keep_days=settings.provided.transcript_keep_days
    )
    job_sweeper = providers.Singleton(
        JobSweeper,
        jobs,
        recordings,
        job_bell,
        erase_expired=_retention.provided.sweep,
        jobs_keep_days=settings.provided.jobs_keep_days,
        recordings_keep_days=settings.provided.recording_keep_days,
    )


def build_container(
    settings: Settings,
    transcriber: TranscriberPort | None = None,
    *,
    trace: TracePort | None = None,
    aws_timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> Container:
    """Build a container that shares nothing with others; what is not given, it builds.

    `aws_timeout` is the longest wait of an operator's command for one call to AWS, in seconds.
    """
    container = Container(
        settings=providers.Object(settings), aws_timeout=providers.Object(float(aws_timeout))
    )
    if transcriber is not None:
        container.transcriber.override(providers.Object(transcriber))
    if trace is not None:
        container.trace.override(providers.Object(trace))
    return container
