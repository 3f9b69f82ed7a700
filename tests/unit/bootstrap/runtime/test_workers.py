"""Worker of one job: it waits until the event of its job has left the outbox."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bootstrap.container import Container
from bootstrap.runtime.workers import event_published
from domain.model.identity import Identity
from domain.model.outbox import Published
from domain.services.jobs.jobs import JobRequest
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for
from tests.support.samples.factories import an_event


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return container_for(tmp_path / "spool", FixedTranscriber(), EVENT_TRANSPORT="eventbridge")


def submit(container: Container, folder: Path) -> UUID:
    (folder / "recording").write_bytes(b"sound")
    request = JobRequest(Identity(uuid4(), "alice", None), uuid4())
    job_id: UUID = container.job_service().submit(folder / "recording", request).id
    return job_id


async def test_the_event_of_a_job_may_have_another_id(container: Container, tmp_path: Path) -> None:
    job = submit(container, tmp_path)
    foreign = container.outbox().add(an_event(interaction_id=job), lease_seconds=60)
    container.outbox().record([Published(foreign, "receipt")])
    await container.job_worker().run_one()

    assert not await event_published(container, job, seconds=0.2), "its own event waits"

    (own,) = container.outbox().lease_due(10, lease_seconds=60)
    container.outbox().record([Published(own, "receipt")])
    assert await event_published(container, job)


async def test_a_job_without_an_event_waits_for_none(container: Container, tmp_path: Path) -> None:
    job = submit(container, tmp_path)
    container.outbox().add(an_event(interaction_id=job))

    assert await event_published(container, job, seconds=0.2)
