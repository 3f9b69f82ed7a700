"""Factories of traces: the port, and the ports that it decorates; without traces, each stays as it is."""

from typing import Any, cast
from urllib.parse import urlsplit

from adapters.auth.loopback import is_loopback
from adapters.telemetry.noop_trace import NoOpTrace
from adapters.telemetry.traced.events import TracedEventHandler, TracedEventPublisher, TracedOutbox
from adapters.telemetry.traced.jobs import TracedJobExecution, TracedJobs, TracedRecordingStore
from adapters.telemetry.traced.speech import (
    TracedCleaner,
    TracedRecogniser,
    TracedSpeechSource,
    TracedTranscriber,
)
from bootstrap.extras import require
from bootstrap.logs import TRACE_IDS
from bootstrap.settings import Settings
from domain.services.jobs.execution import JobExecution
from ports.cleaner_port import CleanerPort
from ports.event_handler_port import EventHandlerPort
from ports.event_port import EventPort
from ports.job_store_port import JobStorePort
from ports.outbox_port import OutboxPort
from ports.recogniser_port import RecogniserPort
from ports.recording_store_port import RecordingStorePort
from ports.speech_source_port import SpeechSourcePort
from ports.trace_port import TracePort
from ports.transcriber_port import TranscriberPort

NO_TRACE = NoOpTrace()


def trace_port(settings: Settings) -> TracePort:
    """Build the traces of this process, also for its log; they are off unless a collector is configured.

    Raises:
        ConfigurationError: OpenTelemetry is not installed.
    """
    if settings.traces_url is None:
        return NO_TRACE
    require("otel", "OTEL_EXPORTER_OTLP_ENDPOINT")
    from adapters.telemetry.otel.export import tracing_to  # noqa: PLC0415 - an extra, and slow to import

    is_here = is_loopback(urlsplit(settings.traces_url).hostname or "")
    trace = tracing_to(settings.traces_url, is_here=is_here)
    TRACE_IDS.current = trace.current
    return trace


def traced_transcriber(transcriber: TranscriberPort, trace: TracePort) -> TranscriberPort:
    """Record each transcription."""
    return TracedTranscriber(transcriber, trace) if trace.is_on else transcriber


def traced_source(source: SpeechSourcePort, trace: TracePort) -> SpeechSourcePort:
    """Record each decoding."""
    return TracedSpeechSource(source, trace) if trace.is_on else source


def traced_recogniser(recogniser: RecogniserPort, trace: TracePort) -> RecogniserPort:
    """Record each unit."""
    return TracedRecogniser(recogniser, trace) if trace.is_on else recogniser


def traced_cleaner(cleaner: CleanerPort, trace: TracePort) -> CleanerPort:
    """Record each cleaning."""
    return TracedCleaner(cleaner, trace) if trace.is_on else cleaner


def traced_outbox(outbox: OutboxPort, trace: TracePort, bus: str) -> OutboxPort:
    """Record the creation of each event, and store its context."""
    return TracedOutbox(outbox, trace, bus) if trace.is_on else outbox


def traced_events(events: EventPort, trace: TracePort, bus: str, *, continues: bool = False) -> EventPort:
    """Record each call to the bus."""
    return TracedEventPublisher(events, trace, bus, continues=continues) if trace.is_on else events


def traced_handler(handler: EventHandlerPort, trace: TracePort, queue: str) -> EventHandlerPort:
    """Record the handling of each event."""
    return TracedEventHandler(handler, trace, queue) if trace.is_on else handler


def traced_jobs(jobs: JobStorePort, trace: TracePort) -> JobStorePort:
    """Store the context of the request that submits a job."""
    return cast("JobStorePort", TracedJobs(jobs, trace)) if trace.is_on else jobs


def traced_recordings(recordings: RecordingStorePort, trace: TracePort) -> RecordingStorePort:
    """Record how recordings are stored and fetched."""
    return TracedRecordingStore(recordings, trace) if trace.is_on else recordings


def job_execution(trace: TracePort, *parts: Any) -> JobExecution:  # noqa: ANN401 - those of JobExecution
    """Build the work on jobs, and record each try."""
    return TracedJobExecution(*parts, trace=trace) if trace.is_on else JobExecution(*parts)
