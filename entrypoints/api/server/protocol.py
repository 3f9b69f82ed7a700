"""HTTP as it travels, below the app: what is no HTTP, and callers who leave, dawdle or overdo it."""

import asyncio
from http import HTTPStatus

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from entrypoints.api.problems import MEDIA_TYPE, problem_response

MAX_HEADER_BYTES = 64 * 1024
"""Of a request's head, and of what may lie behind a request that is not answered yet."""

HEAD_SECONDS = 30.0
"""From the first byte to the end of a request's head; each connection that is held open takes a file."""


class UnambiguousConnection(h11.Connection):
    """Takes no request with two lengths: a proxy in front may believe the other one (RFC 9112, 6.1)."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Parse on.

        Raises:
            h11.RemoteProtocolError: what arrived is no HTTP, or ambiguous.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")
        return event


class ProblemH11Protocol(H11Protocol):
    """Refuses what is no HTTP as a problem, too, and notices who hangs up or sends no request.

    Nothing of the app sees either of them.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = UnambiguousConnection(h11.SERVER, MAX_HEADER_BYTES)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override] # as uvicorn narrows it: it speaks TCP alone
    ) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app, if it is at work for this caller."""
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        """Take in what a caller sent, and go on reading: uvicorn stops behind a request, deaf to its end."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        if cycle is None or cycle.response_complete:
            self._wait_for_a_head()
            return
        self._stop_waiting()
        if not cycle.more_body:
            self._listen_for_hanging_up()

    def _wait_for_a_head(self) -> None:
        if self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _listen_for_hanging_up(self) -> None:
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
            detail=f"{msg} Headers may have {MAX_HEADER_BYTES} bytes, hold no line breaks, "
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
