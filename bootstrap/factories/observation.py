"""Factories of ports that are traced and measured, as far as each is on."""

from typing import TYPE_CHECKING

from bootstrap.factories.telemetry import metered_events, metered_transcriber
from bootstrap.factories.tracing import traced_events, traced_transcriber
from bootstrap.settings import Settings
from ports.event_port import EventPort
from ports.trace_port import TracePort
from ports.transcriber_port import TranscriberPort

if TYPE_CHECKING:
    from adapters.telemetry.metrics.events import DeliveryPath
    from adapters.telemetry.metrics.instruments import Metrics


def observed_events(
    events: EventPort,
    settings: Settings,
    metrics: "Metrics | None",
    trace: TracePort,
    *,
    path: "DeliveryPath",
) -> EventPort:
    """Wrap a transport; `path` tells who sends: the request itself, whose trace goes on, or the relay."""
    traced = traced_events(events, trace, settings.event_destination, continues=path == "inline")
    return metered_events(traced, metrics, path)


def observed_transcriber(
    transcriber: TranscriberPort, settings: Settings, metrics: "Metrics | None", trace: TracePort
) -> TranscriberPort:
    """Wrap the transcriber."""
    return metered_transcriber(traced_transcriber(transcriber, trace), metrics, settings)
