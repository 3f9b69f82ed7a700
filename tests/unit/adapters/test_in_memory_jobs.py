"""The contract of the store of jobs, in memory."""

import pytest

from adapters.in_memory import InMemoryJobs, InMemoryOutbox
from tests.contracts.job_store_port import JobStorePortContract, KeptJobs
from tests.support.databases.databases import Clock
from tests.support.samples.jobs import an_order


class TestInMemoryJobs(JobStorePortContract):
    @pytest.fixture
    def kept(self) -> KeptJobs:
        clock = Clock()
        outbox = InMemoryOutbox(clock)
        return KeptJobs(InMemoryJobs(outbox, clock), outbox, clock)


def test_metadata_that_cannot_be_serialised_fails_here_as_in_a_database() -> None:
    jobs = InMemoryJobs(InMemoryOutbox())

    with pytest.raises(TypeError, match="serializable"):
        jobs.add(an_order(metadata={"a": object()}))
    assert jobs.counts().queued == 0


def test_a_callers_metadata_can_be_changed_afterwards() -> None:
    jobs, metadata = InMemoryJobs(InMemoryOutbox()), {"a": [1]}

    job = jobs.add(an_order(metadata=dict(metadata)))
    metadata["a"].append(2)

    assert job.order.metadata == {"a": [1]}
