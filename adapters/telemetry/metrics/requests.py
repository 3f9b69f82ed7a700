"""Recorder of HTTP requests; the service hands it what its middleware saw."""

from adapters.telemetry.metrics.instruments import Metrics
from domain.model.events.event import PublicationStatus


class RequestMetrics:
    """Records requests, their answers and their refusals."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        for status in PublicationStatus:
            metrics.answers.labels(status.value)  # from 0 on, or the first failure is no increase

    def ended(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Record a request; `route` is the template of its path, never the path."""
        self._metrics.requests.labels(method, route, str(status)).observe(seconds)

    def answered(self, event_status: str) -> None:
        """Count an answer with transcripts, by what became of its event until then."""
        self._metrics.answers.labels(event_status).inc()

    def refused(self, problem: str) -> None:
        """Count an upload that was refused, by the name of the problem."""
        self._metrics.refusals.labels(problem).inc()
