"""Delivery of the event of a job, as its caller and an operator see it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.model.jobs import Job, JobProgress, JobState
from domain.model.outbox import OutboxRecord, OutboxState
from entrypoints.api.jobs.delivery import DeliveryState, EventDelivery
from tests.support.harness.job_api import JobCaller
from tests.support.samples.jobs import an_order

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def a_job(state: JobState, *, has_event: bool = True) -> Job:
    order = an_order()
    return Job(order, state, JobProgress(), 3, NOW, NOW, event_id=order.id if has_event else None)


def a_record(job: Job, state: OutboxState) -> OutboxRecord:
    record = OutboxRecord(job.id, job.order.identity.tenant_id, state, NOW, attempts=2, reason="bus away")
    return replace(record, published_at=NOW, event_id="e-1") if state is OutboxState.PUBLISHED else record


def told(job: Job, record: OutboxRecord | None = None, *, tells_reason: bool = True) -> EventDelivery:
    return EventDelivery.of(job, record, transport="eventbridge", tells_reason=tells_reason)


@pytest.mark.parametrize("state", OutboxState)
def test_an_event_in_the_outbox_is_told_as_it_is_there(state: OutboxState) -> None:
    job = a_job(JobState.COMPLETED)

    delivery = told(job, a_record(job, state))

    assert delivery.state == DeliveryState(state)
    assert delivery.detail_type == "BatchProcessingCompleted"
    assert (delivery.stored_at, delivery.attempts, delivery.reason) == (NOW, 2, "bus away")
    assert delivery.event_interaction_id == job.id
    assert delivery.event_id == ("e-1" if state is OutboxState.PUBLISHED else None)


def test_reasons_are_for_operators() -> None:
    job = a_job(JobState.FAILED)

    delivery = told(job, a_record(job, OutboxState.WAITING), tells_reason=False)

    assert (delivery.reason, delivery.attempts) == (None, 2)
    assert delivery.detail_type == "BatchProcessingFailed"


def test_an_event_that_the_outbox_has_deleted_was_published() -> None:
    assert told(a_job(JobState.COMPLETED)).state == "pruned"


def test_a_job_without_an_event_has_none_to_deliver() -> None:
    delivery = told(a_job(JobState.CANCELLED, has_event=False))

    assert (delivery.state, delivery.detail_type) == ("disabled", None)


def test_before_the_end_of_a_job_nothing_is_delivered(waiting: JobCaller) -> None:
    job = waiting.submitted()

    answer = waiting.get(f"{job['links']['self']}/delivery")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    body = answer.json()
    assert (body["state"], body["stored_at"], body["detail_type"]) == (None, None, None)
    assert (body["tenant_id"], body["transport"]) == (job["tenant_id"], "memory")


def test_the_delivery_of_an_unknown_job_is_that_of_none(waiting: JobCaller) -> None:
    assert waiting.get(f"/batch/jobs/{uuid4()}/delivery").status_code == 404
