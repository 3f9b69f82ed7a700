"""Each decorated port keeps its contract."""

from pathlib import Path

import pytest

from adapters.in_memory import InMemoryEventPublisher, InMemoryJobs, InMemoryOutbox
from adapters.telemetry.traced.events import TracedEventPublisher, TracedOutbox
from bootstrap.factories.tracing import traced_jobs, traced_recordings
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.contracts.job_store_port import JobStorePortContract, KeptJobs
from tests.contracts.outbox_port import KeptOutbox, OutboxPortContract
from tests.contracts.recording_store_port import RecordingStorePortContract, Store, recording
from tests.support.databases.databases import Clock
from tests.support.telemetry.spans import RecordedTrace
from tests.unit.adapters.files.test_recordings import stored_in

__all__ = ["recording"]


class TestTracedOutbox(OutboxPortContract):
    @pytest.fixture
    def kept(self) -> KeptOutbox:
        clock, trace = Clock(), RecordedTrace()

        def keeping(days: float) -> TracedOutbox:
            return TracedOutbox(InMemoryOutbox(clock, keep_days=days), trace, "default")

        return KeptOutbox(keeping(0), clock, keeping)


class TestTracedEventPublisher(EventPortContract):
    @pytest.fixture
    def transport(self) -> Transport:
        port = InMemoryEventPublisher()

        def arrivals(_count: int) -> list[Arrival]:
            return [Arrival(*pair) for pair in zip(port.accepted, port.labels, strict=True)]

        return Transport(
            TracedEventPublisher(port, RecordedTrace(), "default"), arrivals, Delivery(has_bus=False)
        )


class TestTracedJobs(JobStorePortContract):
    @pytest.fixture
    def kept(self) -> KeptJobs:
        clock = Clock()
        outbox = InMemoryOutbox(clock)
        return KeptJobs(traced_jobs(InMemoryJobs(outbox, clock), RecordedTrace()), outbox, clock)


class TestTracedRecordingStore(RecordingStorePortContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        folder, no_folder, trace = tmp_path / "store", tmp_path / "file", RecordedTrace()
        no_folder.touch()
        stores = (
            *(stored_in(place) for place in (folder, folder, no_folder)),
            stored_in(folder, "1e" * 16),
        )
        return Store(*(traced_recordings(each, trace) for each in stores))
