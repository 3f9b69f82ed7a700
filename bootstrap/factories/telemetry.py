"""Factories of metrics; without METRICS_PORT nothing is wrapped, and nothing of them is imported."""

from typing import TYPE_CHECKING

from bootstrap.settings import Settings
from ports.authenticator_port import AuthenticatorPort
from ports.event_handler_port import EventHandlerPort
from ports.event_port import EventPort
from ports.transcriber_port import TranscriberPort

if TYPE_CHECKING:
    from adapters.telemetry.metrics.events import DeliveryPath
    from adapters.telemetry.metrics.instruments import Metrics
    from adapters.telemetry.metrics.requests import RequestMetrics


def metrics_for(settings: Settings) -> "Metrics | None":
    """Build the metrics of this process; None without METRICS_PORT."""
    if settings.metrics_port is None:
        return None
    from adapters.telemetry.metrics.instruments import Metrics  # noqa: PLC0415 - slow to import, and often off

    return Metrics()


def metered_authenticator(authenticator: AuthenticatorPort, metrics: "Metrics | None") -> AuthenticatorPort:
    """Wrap the authenticator."""
    if metrics is None:
        return authenticator
    from adapters.telemetry.metrics.authenticator import MeteredAuthenticator  # noqa: PLC0415 - see above

    return MeteredAuthenticator(authenticator, metrics)


def metered_events(events: EventPort, metrics: "Metrics | None", path: "DeliveryPath") -> EventPort:
    """Wrap a transport; `path` tells who sends: the request itself, or the relay."""
    if metrics is None:
        return events
    from adapters.telemetry.metrics.events import MeteredEventPort  # noqa: PLC0415 - see above

    return MeteredEventPort(events, metrics, path=path)


def metered_transcriber(
    transcriber: TranscriberPort, metrics: "Metrics | None", settings: Settings
) -> TranscriberPort:
    """Wrap the transcriber."""
    if metrics is None:
        return transcriber
    from adapters.telemetry.metrics.transcriber import MeteredTranscriber  # noqa: PLC0415 - see above

    return MeteredTranscriber(transcriber, metrics, engine=settings.transcriber.value)


def metered_handler(handler: EventHandlerPort, metrics: "Metrics | None", group: str) -> EventHandlerPort:
    """Wrap the handler of a consumer."""
    if metrics is None:
        return handler
    from adapters.telemetry.metrics.handler import MeteredEventHandler  # noqa: PLC0415 - see above

    return MeteredEventHandler(handler, metrics, group=group)


def request_metrics(metrics: "Metrics | None") -> "RequestMetrics | None":
    """Build the recorder of HTTP requests."""
    if metrics is None:
        return None
    from adapters.telemetry.metrics.requests import RequestMetrics  # noqa: PLC0415 - see above

    return RequestMetrics(metrics)
