"""Metrics that are counted as things happen: their names, labels and buckets (docs/observability.md).

No label has an id, a path with ids, a file name or the text of an exception: Prometheus keeps each value that
a label ever had.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

ADVISED = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Bounds in seconds that OpenTelemetry's semantic conventions advise for HTTP and messaging."""
REQUEST_BUCKETS = (*ADVISED, 30, 120, 600, 3600)
TRANSCRIPTION_BUCKETS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
DELIVERY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400)
HANDLER_BUCKETS = (*ADVISED, 30, 60, 300, 900)


class Metrics:
    """Metrics of one process, in a registry of their own.

    Attributes:
        registry: holds all of them, and what collectors read at the scrape.
    """

    def __init__(self) -> None:
        # each would be a second series of a counter, which no alert needs
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
        registry = self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self.requests = Histogram(
            "http_server_request_duration_seconds",
            "Requests, until their answer was sent; streams of events until their end.",
            ("method", "route", "status"),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.answers = Counter(
            "answers_total", "Answers with transcripts.", ("event_status",), registry=registry
        )
        self.refusals = Counter("uploads_refused_total", "Uploads refused.", ("problem",), registry=registry)
        self.transcriptions = Histogram(
            "transcription_seconds",
            "Transcriptions of recordings, the wait for a place included.",
            ("engine", "outcome"),
            buckets=TRANSCRIPTION_BUCKETS,
            registry=registry,
        )
        self.audio = Counter(
            "transcription_audio_seconds_total", "Sound transcribed.", ("engine",), registry=registry
        )
        self.deliveries = Histogram(
            "outbox_delivery_seconds",
            "Events, from the moment before they were stored until the bus accepted them.",
            ("path",),
            buckets=DELIVERY_BUCKETS,
            registry=registry,
        )
        self.publish_failures = Counter(
            "publish_failures_total", "Events that the bus did not accept.", ("class",), registry=registry
        )
        self.handling = Histogram(
            "consumer_seconds",
            "Calls of the handler.",
            ("group",),
            buckets=HANDLER_BUCKETS,
            registry=registry,
        )
        self.authentication_failures = Counter(
            "authentication_failures_total", "Requests without a caller.", ("reason",), registry=registry
        )
        self.scrape_errors = Counter(
            "metrics_scrape_errors_total",
            "Figures that could not be read at a scrape.",
            ("source",),
            registry=registry,
        )
