"""Spans of jobs: the work on each, and the ways of its recording into and out of the store.

A job keeps the context of the request that submits it. The work on it comes later, perhaps on another machine
and more than once: its span does not continue that request's, but is linked to it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

from domain.model.jobs import Job, JobLease, JobOrder
from domain.services.jobs.execution import JobExecution
from ports.job_store_port import JobStorePort
from ports.recording_store_port import RecordingStorePort
from ports.trace_port import SpanKind, TracePort


class TracedJobs:
    """`JobStorePort` that adds the current context to new orders; the other methods are the store's own."""

    def __init__(self, jobs: JobStorePort, trace: TracePort) -> None:
        self._jobs = jobs
        self._trace = trace

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the store
        return getattr(self._jobs, name)

    def add(self, order: JobOrder, /) -> Job:
        """Add an order with its context."""
        return self._jobs.add(self._traced(order))

    def retry(self, job_id: UUID, order: JobOrder, /) -> Job | None:
        """Add an order with the context of the request that retries it."""
        return self._jobs.retry(job_id, self._traced(order))

    def _traced(self, order: JobOrder) -> JobOrder:
        return replace(order, traceparent=self._trace.current() or order.traceparent)


class TracedJobExecution(JobExecution):
    """Records a span for each try of a job."""

    def __init__(self, *parts: Any, trace: TracePort) -> None:  # noqa: ANN401 - those of JobExecution
        super().__init__(*parts)
        self._trace = trace

    async def run(self, lease: JobLease) -> None:
        """Work on the job inside of a span."""
        attributes = {"messaging.message.id": str(lease.job.id), "job.queue": lease.job.order.queue}
        links = (lease.job.order.traceparent,)
        with self._trace.span("process job", SpanKind.CONSUMER, attributes=attributes, links=links):
            await super().run(lease)


class TracedRecordingStore(RecordingStorePort):
    """Records a span for each recording that is stored or fetched."""

    def __init__(self, recordings: RecordingStorePort, trace: TracePort) -> None:
        self._recordings = recordings
        self._trace = trace

    def put(self, recording: Path, /) -> str:
        """Store a recording inside of a span."""
        with self._trace.span("store recording"):
            return self._recordings.put(recording)

    def fetched(self, key: str, cancelled: Event | None = None, /) -> AbstractContextManager[Path]:
        """Fetch a recording inside of a span, which has ended when the recording is there."""
        return self._fetched(key, cancelled)

    @contextmanager
    def _fetched(self, key: str, cancelled: Event | None) -> Iterator[Path]:
        with ExitStack() as stack:
            with self._trace.span("fetch recording"):
                recording = stack.enter_context(self._recordings.fetched(key, cancelled))
            yield recording

    def delete(self, key: str, /) -> None:
        """Delete a recording."""
        self._recordings.delete(key)

    def erase(self, key: str, /) -> str | None:
        """Erase a recording."""
        return self._recordings.erase(key)

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        """Yield keys."""
        return self._recordings.keys(older_than_seconds=older_than_seconds)
