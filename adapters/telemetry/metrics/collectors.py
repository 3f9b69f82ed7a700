"""Figures that other objects have, read at the scrape."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from adapters.telemetry.metrics.figure_reader import FigureReader
from domain.model.jobs import JobCounts, JobState
from domain.model.outbox import OutboxCounts, OutboxState
from domain.services.consuming.consumer import Consumer
from domain.services.consuming.stats import MessageOutcome
from domain.services.relay.pacing import PauseCause
from domain.services.relay.relay import Relay
from domain.services.relay.route_guard import REQUIRED, RouteGuard
from ports.transcriber_port import TranscriberState

Restarts = Mapping[str, int]


class TranscriberFigures(NamedTuple):
    """State of a transcriber, with the restarts of its processes."""

    state: TranscriberState
    restarts: Restarts  # reason → number


class OutboxCollector(Collector):
    """Events in the outbox; every process on the same database has the same figures."""

    def __init__(self, counts: FigureReader[OutboxCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """Read the counts; yield nothing where they cannot be read."""
        if (counts := self._counts.value()) is None:
            return
        states = {state.value: getattr(counts, state.value) for state in OutboxState}
        yield gauges("outbox_events", "Events in the outbox.", "state", states)
        yield gauge(
            "outbox_oldest_waiting_seconds",
            "Age of the event that waits longest; 0 if none waits.",
            counts.oldest_waiting_seconds,
        )


class JobCollector(Collector):
    """Jobs that have not ended; every process on the same database has the same figures."""

    def __init__(self, counts: FigureReader[JobCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """Read the counts; yield nothing where they cannot be read."""
        if (counts := self._counts.value()) is None:
            return
        states = {JobState.QUEUED.value: counts.queued, JobState.PROCESSING.value: counts.processing}
        yield gauges("jobs", "Jobs that have not ended.", "state", states)
        yield gauge(
            "jobs_oldest_waiting_seconds",
            "Age of the job that waits longest for a worker; 0 if none waits.",
            counts.oldest_queued_seconds,
        )


class RelayCollector(Collector):
    """The relay of this process, and the route that it guards."""

    def __init__(self, relay: Relay, guard: RouteGuard, *, now: Callable[[], float] = time.time) -> None:
        self._relay = relay
        self._guard = guard
        self._now = now  # seconds since 1970

    def collect(self) -> Iterable[Metric]:
        """Read the state of the relay and of the route."""
        paused_by = self._relay.paused_by
        causes = {cause.value: float(cause is paused_by) for cause in PauseCause}
        yield gauges("relay_paused", "1 while the relay sends nothing, for this reason.", "reason", causes)
        since_beat = self._relay.status().seconds_since_beat
        if since_beat is not None:
            yield gauge(
                "relay_last_beat_timestamp_seconds",
                "Last sign of life of the relay, in seconds since 1970.",
                self._now() - since_beat,
            )
        broken = {finding.component for finding in self._guard.broken}
        links = {link.value: float(link in broken) for link in sorted(REQUIRED)}
        yield gauges("route_broken", "1 while this link of the event route is broken.", "link", links)


class TranscriberCollector(Collector):
    """Places of the transcriber, the recordings that wait for one, and the restarts of its processes."""

    def __init__(self, figures: FigureReader[TranscriberFigures], *, waiting_room: int) -> None:
        self._figures = figures
        self._waiting_room = waiting_room

    def collect(self) -> Iterable[Metric]:
        """Read the state; yield nothing where it cannot be read."""
        if (figures := self._figures.value()) is None:
            return
        state = figures.state
        workers = {"ready": state.ready_slots, "unavailable": state.slots - state.ready_slots}
        yield gauges("transcriber_workers", "Places for speech.", "state", workers)
        yield gauge(
            "transcriber_waiting",
            "Recordings that wait for a place.",
            max(0, state.admitted - (state.capacity - self._waiting_room)),
        )
        yield counters(
            "transcriber_restarts_total",
            "Worker processes that ended and were started again.",
            "reason",
            figures.restarts,
        )


class SpoolCollector(Collector):
    """Space for uploads."""

    def __init__(self, free_bytes: FigureReader[int], *, floor: int) -> None:
        self._free_bytes = free_bytes
        self._floor = floor

    def collect(self) -> Iterable[Metric]:
        """Ask the file system."""
        if (free := self._free_bytes.value()) is not None:
            yield gauge("spool_free_bytes", "Free space on the disk for uploads.", free)
        yield gauge("spool_floor_bytes", "Free space below which uploads are refused.", self._floor)


class ConsumerCollector(Collector):
    """Outcomes of the messages of a consumer."""

    def __init__(self, consumer: Consumer, *, group: str) -> None:
        self._consumer = consumer
        self._group = group

    def collect(self) -> Iterable[Metric]:
        """Read the statistics of the consumer."""
        events = CounterMetricFamily(
            "consumer_events_total", "Messages of the queue.", labels=("group", "outcome")
        )
        for outcome in MessageOutcome:
            events.add_metric((self._group, outcome.value), self._consumer.stats[outcome])
        yield events
        yield gauge(
            "consumer_paused",
            "1 while the queue, the database or the handler is unavailable.",
            self._consumer.is_paused,
        )


class JwksCollector(Collector):
    """Age of the issuer's keys."""

    def __init__(self, age_seconds: Callable[[], float | None]) -> None:
        self._age_seconds = age_seconds  # None before the first keys

    def collect(self) -> Iterable[Metric]:
        """Read the age; yield nothing before the first keys."""
        if (age := self._age_seconds()) is not None:
            yield gauge("jwks_age_seconds", "Time since the issuer's keys were fetched.", age)


def gauge(name: str, documentation: str, value: float) -> Metric:
    """Build a figure without labels."""
    return GaugeMetricFamily(name, documentation, value)


def gauges(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    """Build figures with one label."""
    family = GaugeMetricFamily(name, documentation, labels=(label,))
    for each, value in values.items():
        family.add_metric((each,), value)
    return family


def counters(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    """Build counts with one label."""
    family = CounterMetricFamily(name, documentation, labels=(label,))
    for each, value in values.items():
        family.add_metric((each,), value)
    return family
