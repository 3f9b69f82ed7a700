"""Middleware of every request: interaction id, log line, and the answer to an unexpected error."""

import logging
import time
from uuid import UUID, uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.model.identity import uuid4_or_none
from domain.model.result_warnings import ResultWarning, WarningCode
from entrypoints.api.problem_handlers import unexpected_problem
from entrypoints.api.problems import CALLER_LEFT

logger = logging.getLogger(__name__)

INTERACTION_HEADER = "X-Interaction-ID"
_QUIET_PATHS = "/health/"


class InteractionMiddleware:
    """Assigns each request an interaction id: `request.state`, log lines and the answer.

    It is the UUID v4 that the caller sends as `X-Interaction-ID`, else a new one (requirement 3.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an HTTP request; pass on other events."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        interaction_id, warnings = _interaction_id(scope)
        scope.setdefault("state", {}).update(interaction_id=interaction_id, warnings=warnings)
        with structlog.contextvars.bound_contextvars(interaction_id=str(interaction_id)):
            for warning in warnings:
                logger.info(warning.detail)
            await self._serve(scope, receive, InteractionSend(send, interaction_id))

    async def _serve(self, scope: Scope, receive: Receive, send: "InteractionSend") -> None:
        began = time.monotonic()
        try:
            await self._app(scope, receive, send)
        except Exception:
            logger.exception("request failed")
            if send.status is None:
                await unexpected_problem()(scope, receive, send)
        finally:
            level = logging.DEBUG if _QUIET_PATHS in scope["path"] else logging.INFO
            extra = {"method": scope["method"], "path": scope["path"][:200], "status": send.status}
            extra["seconds"] = round(time.monotonic() - began, 3)
            has_answer = send.status not in (None, CALLER_LEFT)
            logger.log(level, "request answered" if has_answer else "request ended unanswered", extra=extra)


class InteractionSend:
    """ASGI `send` that adds the interaction id to the answer's headers and records its status."""

    def __init__(self, send: Send, interaction_id: UUID) -> None:
        self._send = send
        self._interaction_id = interaction_id
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[INTERACTION_HEADER] = str(self._interaction_id)
        await self._send(message)


def _interaction_id(scope: Scope) -> tuple[UUID, tuple[ResultWarning, ...]]:
    """Read the id that the caller sent; replace one that is no UUID v4, with a warning."""
    sent = ", ".join(Headers(scope=scope).getlist(INTERACTION_HEADER)).strip()
    if interaction_id := uuid4_or_none(sent):
        return interaction_id, ()
    interaction_id = uuid4()
    return interaction_id, (_replaced(sent, interaction_id),) if sent else ()


def _replaced(sent: str, interaction_id: UUID) -> ResultWarning:
    detail = f"{INTERACTION_HEADER} {sent[:64]!r} is not a UUID v4; the id {interaction_id} was generated"
    return ResultWarning(code=WarningCode.INTERACTION_ID_REPLACED, detail=detail)
