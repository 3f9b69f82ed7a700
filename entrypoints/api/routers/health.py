"""`GET /health/live` and `/health/ready`, for orchestrators and load balancers.

An instance that is not ready gets no recordings from its load balancer, and is not restarted.
"""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Response

from bootstrap.choices import Authentication
from bootstrap.container import Container
from bootstrap.transports import has_bus
from domain.model.errors import JobStoreUnavailableError, OutboxUnavailableError, TranscriberBusyError
from entrypoints.api.dependencies import ContainerDependency, SpoolDependency, TranscriberDependency
from entrypoints.api.problems import ShuttingDownError, StorageFullError, TooManyUploadsError
from entrypoints.api.schemas import (
    DetailedReadiness,
    EventsHealth,
    JobsHealth,
    Liveness,
    OutboxHealth,
    Readiness,
    RelayHealth,
    TranscriberHealth,
)
from entrypoints.api.uploads.spool import UploadSpool
from ports.transcriber_port import TranscriberPort, TranscriberState

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", operation_id="liveness")
async def live() -> Liveness:
    """Answer while the process lives."""
    return Liveness(status="live")


@router.get(
    "/ready",
    operation_id="readiness",
    responses={503: {"model": DetailedReadiness | Readiness, "description": "No recording is accepted now"}},
)
async def ready(
    response: Response,
    container: ContainerDependency,
    transcriber: TranscriberDependency,
    spool: SpoolDependency,
) -> DetailedReadiness | Readiness:
    """Report readiness for uploads: a recording that is uploaded now is accepted and transcribed.

    Jobs, and events that wait or are held back, show in the details, and do not affect readiness. Where
    callers are authenticated, there are no details: probes have no credentials.
    """
    state = transcriber.state()
    reason = _not_ready_because(state, transcriber, spool)
    if reason is not None:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    status = "ready" if reason is None else "unavailable" if state.ready_slots else "starting"
    if container.settings().auth is not Authentication.OPEN:
        return Readiness(status=status, reason=reason)
    return DetailedReadiness(
        status=status,
        reason=reason,
        transcriber=TranscriberHealth(**state._asdict()),
        jobs=await asyncio.to_thread(_jobs_health, container),
        events=await asyncio.to_thread(_events_health, container),
    )


def _not_ready_because(
    state: TranscriberState, transcriber: TranscriberPort, spool: UploadSpool
) -> str | None:
    """Ask what an upload asks; return the reason why it would be refused, or None."""
    if not state.ready_slots:
        return state.problem or "No transcription slot has transcribed the built-in half second of sound yet."
    try:
        transcriber.check_capacity()
        spool.check_admission()
    except (TranscriberBusyError, StorageFullError, TooManyUploadsError, ShuttingDownError) as error:
        return str(error)
    return None


def _jobs_health(container: Container) -> JobsHealth:
    workers = container.settings().job_workers
    try:
        return JobsHealth(**container.jobs().counts()._asdict(), workers=workers)
    except JobStoreUnavailableError as error:
        return JobsHealth(workers=workers, error=str(error))


def _events_health(container: Container) -> EventsHealth:
    transport = container.event_transport()
    if not has_bus(transport):
        return EventsHealth(transport=str(transport))
    return EventsHealth(
        transport=str(transport),
        held_back=container.breaker().reason,
        outbox=_outbox_health(container),
        relay=RelayHealth(**container.relay().status()._asdict()),
    )


def _outbox_health(container: Container) -> OutboxHealth:
    try:
        return OutboxHealth(**container.outbox().counts()._asdict())
    except OutboxUnavailableError as error:
        return OutboxHealth(error=str(error))
