"""HTTP protocol with limits: refuses invalid requests, and callers that are slow or send too much."""

import asyncio
from http import HTTPStatus
from typing import ClassVar

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from entrypoints.api.problems import MEDIA_TYPE, problem_response

MAX_HEADER_BYTES = 64 * 1024
"""Limit of a request's head, and of the data behind a request that is not answered yet."""


class UnambiguousConnection(h11.Connection):
    """Refuses requests with two lengths: a proxy in front may believe the other one (RFC 9112, 6.1)."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Parse the next event.

        Raises:
            h11.RemoteProtocolError: the data is not HTTP, or ambiguous.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")
        return event


class ProblemH11Protocol(H11Protocol):
    """Answers invalid HTTP with a problem, closes connections without a request; the app sees neither."""

    # time for a request's head, from its first byte; each open connection takes a file
    head_seconds: ClassVar[float] = 30.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = UnambiguousConnection(h11.SERVER, MAX_HEADER_BYTES)
        self._head_timeout: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override] # as uvicorn narrows it: TCP only
    ) -> None:
        """Wait for a request."""
        super().connection_made(transport)
        self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app, if it is processing a request of this connection."""
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        """Parse received data, and go on reading: uvicorn stops after a request and misses a disconnect."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        if cycle is None or cycle.response_complete:
            self._wait_for_a_head()
            return
        self._stop_waiting()
        if not cycle.more_body:
            self._watch_for_disconnect()

    def _wait_for_a_head(self) -> None:
        if self._head_timeout is None and not self.transport.is_closing():
            self._head_timeout = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._head_timeout is not None:
            self._head_timeout.cancel()
            self._head_timeout = None

    def _watch_for_disconnect(self) -> None:
        surplus, _ = self.conn.trailing_data
        if len(surplus) > MAX_HEADER_BYTES:
            self.transport.close()
        else:
            self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, or whose headers are too large."""
        problem = problem_response(
            HTTPStatus.BAD_REQUEST,
            title="Not a valid HTTP request",
            detail=f"{msg} Headers may have {MAX_HEADER_BYTES} bytes, must not contain line breaks, "
            "and declare one length.",
            name="invalid-request",
        )
        headers = [("content-type", MEDIA_TYPE), ("connection", "close")]
        headers.append(("content-length", str(len(problem.body))))
        for event in (
            h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers),
            h11.Data(data=bytes(problem.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
