"""Middleware that has each request measured: method, route, status, time; answers and refused uploads.

Routes put `event_status` and error handlers `problem` into the state of a request.
"""

import time
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNKNOWN_ROUTE = "unknown"
"""Route of each path that has none; a metric must not have callers' paths."""
UPLOADS = frozenset({"/batch/process", "/batch/jobs"})
"""Routes that take recordings."""
UNEXPECTED = "internal-error"


class RequestRecorder(Protocol):
    """Records requests; no call waits."""

    def ended(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Record a request whose answer was sent."""
        ...

    def answered(self, event_status: str) -> None:
        """Record an answer with transcripts."""
        ...

    def refused(self, problem: str) -> None:
        """Record an upload that was refused."""
        ...


class MetricsMiddleware:
    """Measures each request that is routed; innermost, since the router notes the route in its scope."""

    def __init__(self, app: ASGIApp, *, recorder: RequestRecorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and record it at its end; pass on other events."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500  # unless an answer begins

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        except Exception:
            scope["state"]["problem"] = UNEXPECTED
            raise
        finally:
            self._record(scope, status, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        state, route = scope["state"], getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
        method = "HEAD" if state.get("is_head") else scope["method"]
        self._recorder.ended(method=method, route=route, status=status, seconds=seconds)
        if "event_status" in state:
            self._recorder.answered(state["event_status"])
        if "problem" in state and method == "POST" and route in UPLOADS:
            self._recorder.refused(state["problem"])
