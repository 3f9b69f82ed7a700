"""`GET /health/live` and `/health/ready`, for whoever restarts and whoever routes."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from entrypoints.api.dependencies import SpeechRecogniser, container_of
from entrypoints.api.schemas import Readiness, TranscriberHealth

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/ready", responses={503: {"model": Readiness, "description": "No transcription slot is ready"}})
async def ready(request: Request, response: Response, transcriber: SpeechRecogniser) -> Readiness:
    """Recordings can be handed in: at least one transcription slot has loaded its engine."""
    state = transcriber.state()
    if not state.ready_slots:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(
        status="ready" if state.ready_slots else "starting",
        transcriber=TranscriberHealth(**state._asdict()),
        event_transport=container_of(request).event_transport().value,
    )
