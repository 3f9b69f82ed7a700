"""HTTP as it travels, below the app: what is no HTTP, and callers who leave or overdo it."""

from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from entrypoints.api.problems import MEDIA_TYPE, problem_response

MAX_HEADER_BYTES = 64 * 1024
"""Of a request's head, and of what may lie behind a request that is not answered yet."""


class ProblemH11Protocol(H11Protocol):
    """Refuses what is no HTTP as a problem, too, and notices who hangs up: nothing of the app sees either."""

    def data_received(self, data: bytes) -> None:
        """Take in what a caller sent, and go on reading: uvicorn stops behind a request, deaf to its end."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._listen_for_hanging_up()

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
            detail=f"{msg} Headers may have {MAX_HEADER_BYTES} bytes and hold no line breaks.",
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
