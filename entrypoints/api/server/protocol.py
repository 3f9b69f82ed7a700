"""HTTP protocol with limits: refuses invalid requests, and callers that are slow or send too much."""

import asyncio
import socket
from http import HTTPStatus
from typing import ClassVar
from uuid import uuid4

import h11
import structlog
from starlette.responses import Response
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from entrypoints.api.middleware import INTERACTION_HEADER
from entrypoints.api.problems import problem_of
from entrypoints.api.server.connection import CheckedConnection
from entrypoints.api.server.requests import MAX_HEAD_BYTES
from entrypoints.api.server.transport import READ_SECONDS, LingeringTransport

HANGUP_SECONDS = 0.5
"""Interval at which a caller that has shut its side of the connection is checked for having left."""
_UNFINISHED = {h11.SEND_BODY, h11.ERROR}


class ProblemH11Protocol(H11Protocol):
    """Answers invalid HTTP with a problem, closes connections without a request; the app sees neither."""

    # time for a request's head, from its first byte; each open connection takes a file
    head_seconds: ClassVar[float] = 30.0
    # time for the answer to a caller of HTTP/1.0 that has shut its side of the connection, and may have left
    left_seconds: ClassVar[float] = 5.0
    # time in which a caller reads some of an answer, once its connection is to be closed
    read_seconds: ClassVar[float] = READ_SECONDS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn: CheckedConnection = CheckedConnection()
        self._head_timeout: asyncio.TimerHandle | None = None
        self._hangup_check: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override] # as uvicorn narrows it: TCP only
    ) -> None:
        """Wait for a request."""
        self._lingering = LingeringTransport(
            transport, lambda: self.conn.their_state in _UNFINISHED, read_seconds=self.read_seconds
        )
        super().connection_made(self._lingering)  # type: ignore[arg-type] # other attributes: the transport's
        self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app, if it is processing a request of this connection."""
        super().connection_lost(exc)
        self._stop_waiting()
        self._lingering.stop()
        if self._hangup_check is not None:
            self._hangup_check.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse received data, and go on reading: uvicorn stops after a request and misses a disconnect."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._is_answering():
            self._wait_for_a_head()
            return
        self._stop_waiting()
        if not self.cycle.more_body:
            self._watch_for_disconnect()

    def eof_received(self) -> bool:  # type: ignore[override] # uvicorn's closes every connection
        """Keep the connection of a caller that has only shut its own side, until its request is answered.

        The end of the data inside a request refuses it. A caller that has left looks the same. An interim
        answer tells one from the other; a caller of HTTP/1.0, which must not be sent one, has a little time.
        """
        if self.transport.is_closing():
            return False
        self.conn.receive_data(b"")
        self.handle_events()
        if self._is_answering() and self._hangup_check is None:
            self._expect_hangup()
        return self._is_answering()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        return cycle is not None and not cycle.response_complete and not self.transport.is_closing()

    def _expect_hangup(self) -> None:
        """Send `100 Continue`: a caller ignores it, the system of one that has left answers with a reset."""
        if self.scope["http_version"] == "1.0":
            self._hangup_check = self.loop.call_later(self.left_seconds, self.transport.abort)
            return
        if self.conn.our_state is h11.SEND_RESPONSE:
            interim = h11.InformationalResponse(status_code=100, headers=[], reason="Continue")
            self.transport.write(self.conn.send(interim) or b"")
        self._check_for_hangup()

    def _check_for_hangup(self) -> None:
        """Look for the reset; asyncio does not watch a connection whose data has ended."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.transport.abort()
        else:
            self._hangup_check = self.loop.call_later(HANGUP_SECONDS, self._check_for_hangup)

    def _wait_for_a_head(self) -> None:
        if self._head_timeout is None and not self.transport.is_closing():
            self._head_timeout = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._head_timeout is not None:
            self._head_timeout.cancel()
            self._head_timeout = None

    def _watch_for_disconnect(self) -> None:
        surplus, _ = self.conn.trailing_data
        if len(surplus) > MAX_HEAD_BYTES:
            self.transport.close()
        else:
            self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's name, and its words
        """Refuse a request that is not valid HTTP, unless its answer has begun."""
        if self._is_answering():  # first, since a write may find the connection closed
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._write(self._refusal())
        self.transport.close()

    def _refusal(self) -> Response:
        """Build the problem, under the interaction id of the request if it already has one."""
        state = self.scope.get("state", {}) if self._is_answering() else {}
        interaction_id = str(state.get("interaction_id", uuid4()))
        with structlog.contextvars.bound_contextvars(interaction_id=interaction_id):
            answer = problem_of(self.conn.refusal)
        answer.headers.update({INTERACTION_HEADER: interaction_id, "Connection": "close"})
        return answer

    def _write(self, answer: Response) -> None:
        headers = [*self.server_state.default_headers, *answer.raw_headers]
        for event in (
            h11.Response(status_code=answer.status_code, headers=headers, reason=_reason(answer)),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")

    def _should_upgrade(self) -> bool:
        """Ignore offers of other protocols (RFC 9110, section 7.8), of which uvicorn logs two lines each."""
        return False


def _reason(answer: Response) -> str:
    return HTTPStatus(answer.status_code).phrase
