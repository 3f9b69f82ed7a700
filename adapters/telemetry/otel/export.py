"""Export of spans to a collector by OTLP over HTTP, which never keeps a process waiting for long."""

import atexit
import logging
import time
from collections.abc import Sequence
from threading import Event, Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from requests import Session

from adapters.telemetry.otel.trace import OpenTelemetryTrace

logger = logging.getLogger(__name__)

DEFAULT_SERVICE_NAME = "batch-transcription"

EXPORT_SECONDS = 3.0
"""Longest export of a batch, retries included."""
END_SECONDS = 3.0
"""Longest wait for the collector at the end of the process; the SDK's own is 30 s."""

_SILENCED = ("opentelemetry.exporter.otlp", "opentelemetry.sdk._shared_internal")
"""Loggers that write several lines for each batch while a collector is away."""


def tracing_to(endpoint: str, *, is_here: bool = False) -> OpenTelemetryTrace:
    """Start to export traces to the URL of a collector; all else is read from the variables of OpenTelemetry.

    The queue of finished spans is bounded: while no collector takes them, the oldest are dropped.
    A collector on this machine is called without a proxy, which would connect to its own machine.
    """
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    provider = TracerProvider(resource=_resource(), id_generator=TimedIdGenerator(), shutdown_on_exit=False)
    session = _direct_session() if is_here else None
    exporter = OTLPSpanExporter(endpoint, timeout=EXPORT_SECONDS, session=session)
    processor = BatchSpanProcessor(TellingExporter(exporter))
    provider.add_span_processor(processor)
    atexit.register(_LastExport(processor).run)
    return OpenTelemetryTrace(provider)


def _direct_session() -> Session:
    session = Session()
    session.trust_env = False  # the proxy of the environment
    return session


def _resource() -> Resource:
    found = Resource.create()
    if not str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return found
    return found.merge(Resource({SERVICE_NAME: DEFAULT_SERVICE_NAME}))


class TimedIdGenerator(RandomIdGenerator):
    """Generates trace ids that begin with the time, as X-Ray's do: it may refuse others."""

    def generate_trace_id(self) -> int:
        """Return 32 bits of seconds since 1970, then 96 random ones."""
        return int(time.time()) << 96 | super().generate_trace_id() % 2**96


class TellingExporter(SpanExporter):
    """Exporter that logs once when a collector goes away, and once when it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export spans; spans that cannot be exported are dropped."""
        result = self._exporter.export(spans)
        if (is_away := result is not SpanExportResult.SUCCESS) != self._is_away:
            self._is_away = is_away
            if is_away:
                logger.warning("traces cannot be exported, spans are dropped until the collector takes them")
            else:
                logger.info("traces are exported again")
        return result

    def shutdown(self) -> None:
        """Close the connection, and give up what is being retried."""
        self._exporter.shutdown()


class _LastExport:
    """Last export, at the end of the process; its thread starts early: at the end none can be started."""

    def __init__(self, processor: BatchSpanProcessor) -> None:
        self._processor = processor
        self._is_asked = Event()
        self._thread = Thread(target=self._export, name="last-export", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Export the spans that are left, and wait for a while."""
        self._is_asked.set()
        self._thread.join(END_SECONDS)

    def _export(self) -> None:
        self._is_asked.wait()
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # the SDK types a part of its methods
