"""Metrics of a process: what it serves to Prometheus while it works."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bootstrap.disk_space import free_bytes
from bootstrap.transports import has_bus
from domain.services.consuming.consumer import Consumer

if TYPE_CHECKING:
    from adapters.telemetry.metrics.collectors import TranscriberFigures
    from adapters.telemetry.metrics.instruments import Metrics
    from bootstrap.container import Container
    from bootstrap.settings import Settings

T = TypeVar("T")

KEEP_SECONDS = 5.0
"""Time for which counts of the database are kept: scrapes of several Prometheus servers cost one query."""
LOOP_SECONDS = 2.0
"""Longest wait for an event loop that is busy."""


@contextmanager
def exposing_metrics(
    container: "Container", *, has_transcriber: bool = False, has_uploads: bool = False
) -> Iterator[None]:
    """Serve the metrics of this process on METRICS_PORT while the context lasts; without it, do nothing.

    With a transcriber, this is called in its event loop.

    Raises:
        ConfigurationError: the port is taken.
    """
    metrics = container.metrics()
    if metrics is not None:
        observe(container, metrics, has_transcriber=has_transcriber, has_uploads=has_uploads)
    with exposed(container.settings(), metrics):
        yield


def process_metrics(settings: "Settings") -> "Metrics | None":
    """Build the metrics of a process without a container; None without METRICS_PORT."""
    from bootstrap.factories.telemetry import metrics_for  # noqa: PLC0415 - `--help` of commands need not wait

    return metrics_for(settings)


@contextmanager
def exposed(settings: "Settings", metrics: "Metrics | None") -> Iterator[None]:
    """Serve metrics on METRICS_PORT while the context lasts.

    Raises:
        ConfigurationError: the port is taken.
    """
    if metrics is None or settings.metrics_port is None:
        yield
        return
    from adapters.telemetry.metrics.exposition import exposing  # noqa: PLC0415 - slow to import, and often off

    with exposing(metrics.registry, settings.metrics_host, settings.metrics_port):
        yield


def observe(
    container: "Container",
    metrics: "Metrics",
    *,
    has_transcriber: bool = False,
    has_uploads: bool = False,
    keep_seconds: float = KEEP_SECONDS,
) -> None:
    """Have the figures of this process's parts read at each scrape."""
    from adapters.telemetry.metrics import collectors  # noqa: PLC0415 - slow to import, and often off
    from adapters.telemetry.metrics.figure_reader import FigureReader  # noqa: PLC0415 - same

    register, settings = metrics.registry.register, container.settings()
    outbox = FigureReader("outbox", container.outbox().counts, metrics, keep_seconds=keep_seconds)
    jobs = FigureReader("jobs", container.jobs().counts, metrics, keep_seconds=keep_seconds)
    register(collectors.OutboxCollector(outbox))
    register(collectors.JobCollector(jobs))
    if has_bus(container.event_transport()):
        register(collectors.RelayCollector(container.relay(), container.route_guard()))
    if has_transcriber:
        read = partial(in_loop, asyncio.get_running_loop(), partial(transcriber_figures, container))
        figures = FigureReader("transcriber", read, metrics)
        register(collectors.TranscriberCollector(figures, waiting_room=settings.waiting_room))
    if has_uploads:
        free = FigureReader("spool", partial(free_bytes, settings.spool_dir), metrics)
        register(collectors.SpoolCollector(free, floor=settings.min_free_bytes))
        if settings.auth.has_tokens:
            register(collectors.JwksCollector(lambda: container.tokens().keys_age_seconds))


def observe_consumer(consumer: Consumer, metrics: "Metrics", group: str) -> None:
    """Have the figures of a consumer read at each scrape."""
    from adapters.telemetry.metrics.collectors import ConsumerCollector  # noqa: PLC0415 - see above

    metrics.registry.register(ConsumerCollector(consumer, group=group))


def transcriber_figures(container: "Container") -> "TranscriberFigures":
    """Read the state of the transcriber, and how often its processes were started again."""
    from adapters.speech.workers.process import EndReason  # noqa: PLC0415 - only where there is a transcriber
    from adapters.telemetry.metrics.collectors import TranscriberFigures  # noqa: PLC0415 - see above

    transcriber = container.transcriber()
    pools = getattr(transcriber, "pools", ())
    restarts = {reason.value: sum(pool.ends()[reason] for pool in pools) for reason in EndReason}
    return TranscriberFigures(transcriber.state(), restarts)


def in_loop(loop: asyncio.AbstractEventLoop, read: Callable[[], T]) -> T:
    """Call a function in an event loop, whose objects other threads must not touch, and return its result."""
    future = Future[T]()

    def call() -> None:
        try:
            future.set_result(read())
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            future.set_exception(error)

    loop.call_soon_threadsafe(call)
    return future.result(LOOP_SECONDS)
