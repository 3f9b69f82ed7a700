"""`GET /health/live` and `/health/ready`, for orchestrators and load balancers."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Response

from bootstrap.container import Container
from bootstrap.settings import EventTransport
from domain.model.errors import OutboxUnavailableError
from entrypoints.api.dependencies import ContainerDependency, TranscriberDependency
from entrypoints.api.schemas import (
    EventsHealth,
    Liveness,
    OutboxHealth,
    Readiness,
    RelayHealth,
    TranscriberHealth,
)

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", operation_id="liveness")
async def live() -> Liveness:
    """Answer while the process lives."""
    return Liveness(status="live")


@router.get(
    "/ready",
    operation_id="readiness",
    responses={503: {"model": Readiness, "description": "No transcription slot is ready"}},
)
async def ready(
    response: Response, container: ContainerDependency, transcriber: TranscriberDependency
) -> Readiness:
    """Report readiness for uploads: at least one transcription slot has loaded its engine.

    Events that wait or are held back show in the details, and do not affect readiness.
    """
    state = transcriber.state()
    if not state.ready_slots:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(
        status="ready" if state.ready_slots else "starting",
        transcriber=TranscriberHealth(**state._asdict()),
        events=await asyncio.to_thread(_events_health, container),
    )


def _events_health(container: Container) -> EventsHealth:
    transport = container.event_transport()
    if transport is not EventTransport.EVENTBRIDGE:
        return EventsHealth(transport=transport.value)
    return EventsHealth(
        transport=transport.value,
        held_back=container.breaker().reason,
        outbox=_outbox_health(container),
        relay=RelayHealth(**container.relay().status()._asdict()),
    )


def _outbox_health(container: Container) -> OutboxHealth:
    try:
        return OutboxHealth(**container.outbox().counts()._asdict())
    except OutboxUnavailableError as error:
        return OutboxHealth(error=str(error))
