"""Spans of jobs: the work is linked to the request that submitted the job, and so is the event of its end."""

import asyncio
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind

from adapters.in_memory import InMemoryJobs, InMemoryOutbox, InProcessBell
from adapters.scratch import ScratchFolders
from adapters.telemetry.traced.jobs import TracedJobExecution, TracedRecordingStore
from bootstrap.factories.tracing import job_execution, traced_jobs
from domain.model.jobs import JobState
from domain.services.jobs.execution import JobExecution
from domain.services.jobs.sources import RecordingSources
from ports.job_store_port import JobStorePort
from tests.support.doubles.transcription import CallbackCleaner, FixedTranscriber
from tests.support.samples.factories import A_TRACEPARENT, trace_of
from tests.support.samples.jobs import ANNOUNCEMENT, QUEUE, UNDECODABLE, an_order
from tests.support.telemetry.spans import RecordedTrace, links_of, parent_of, traceparent_of
from tests.unit.adapters.files.test_recordings import stored_in


class Place:
    """Jobs in memory, and the work on them, all of it recorded."""

    def __init__(self, folder: Path) -> None:
        self.trace = RecordedTrace()
        self.outbox = InMemoryOutbox()
        self.jobs: JobStorePort = traced_jobs(InMemoryJobs(self.outbox), self.trace)
        self.recordings = TracedRecordingStore(stored_in(folder / "recordings"), self.trace)
        sources = RecordingSources(self.recordings, {}, ScratchFolders(folder).folder)
        self.sources = sources
        self.execution = job_execution(
            self.trace,
            self.jobs,
            self.recordings,
            sources,
            FixedTranscriber(),
            CallbackCleaner(),
            ANNOUNCEMENT,
            InProcessBell(),
        )

    def work(self) -> None:
        (lease,) = self.jobs.claim([QUEUE], limit=1, lease_seconds=60)
        asyncio.run(self.execution.run(lease))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_job_and_its_event_keep_the_trace_of_the_request(place: Place, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"sound")
    with place.trace.span("request") as request:
        job = place.jobs.add(an_order(recording=place.sources.store(tmp_path / "upload")))

    place.work()

    (lease,) = place.outbox.lease_due(1, lease_seconds=60)
    assert job.order.traceparent == lease.traceparent == request.traceparent
    assert parent_of(place.trace.only("store recording")) == request.traceparent


def test_the_work_on_a_job_is_a_trace_of_its_own_linked_to_the_request(place: Place, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"sound")
    with place.trace.span("request") as request:
        place.jobs.add(an_order(recording=place.sources.store(tmp_path / "upload")))

    place.work()

    work = place.trace.only("process job")
    assert (work.kind, parent_of(work), links_of(work)) == (SpanKind.CONSUMER, None, [request.traceparent])
    assert parent_of(place.trace.only("fetch recording")) == traceparent_of(work)
    assert trace_of(traceparent_of(work)) != trace_of(request.traceparent)


def test_a_retry_has_the_trace_of_its_own_request(place: Place) -> None:
    first = place.jobs.add(an_order(traceparent=A_TRACEPARENT))
    assert place.jobs.cancel(first.id, UNDECODABLE, None)

    with place.trace.span("retry") as retry:
        again = place.jobs.retry(first.id, an_order(retry_of=first.id))

    assert again
    assert (again.order.traceparent, first.order.traceparent) == (retry.traceparent, A_TRACEPARENT)


def test_a_recording_that_is_gone_fails_its_span(place: Place, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"sound")
    stored = place.sources.store(tmp_path / "upload")
    place.recordings.delete(stored.key)
    job = place.jobs.add(an_order(recording=stored))

    place.work()

    ended = place.jobs.find(job.id)
    assert ended
    assert ended.state is JobState.FAILED
    assert (place.trace.only("fetch recording").attributes or {})["error.type"] == "RecordingGoneError"


def test_the_work_is_recorded_where_traces_are_on(place: Place) -> None:
    assert isinstance(place.execution, TracedJobExecution)
    assert isinstance(place.execution, JobExecution)
