"""Connection of HTTP/1.1: h11's, with the rules that it leaves to its user."""

import re

import h11

from entrypoints.api.problems import InvalidRequestError, ProblemError
from entrypoints.api.server.requests import MAX_HEAD_BYTES, checked, problem_behind

_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")

Received = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class CheckedConnection(h11.Connection):
    """Refuses requests that are ambiguous or too large, and says why.

    Attributes:
        refusal: the problem of the request that was refused.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self.refusal: ProblemError = InvalidRequestError("The request is not HTTP.")

    def next_event(self) -> Received:
        """Parse the next event; the end of the data is none, since an answer may still be sent.

        Raises:
            h11.RemoteProtocolError: the request is refused; `refusal` says why.
        """
        head = self._head() if self.their_state is h11.IDLE else b""
        if head == b"\r":  # half of an empty line
            return h11.NEED_DATA
        try:
            event = super().next_event()
            if isinstance(event, h11.Request):
                return checked(event)
        except h11.RemoteProtocolError as error:
            self.refusal = problem_behind(error, head)
            raise
        except ProblemError as problem:
            self.refusal = problem
            raise h11.RemoteProtocolError(str(problem)) from problem
        return h11.NEED_DATA if isinstance(event, h11.ConnectionClosed) else event

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override] # h11's overloads say the same
        """Serialise an event; an answer to a caller that waits for `100 Continue` closes the connection.

        Such a caller need not send its body any more, and what follows could be the body or a new request
        (RFC 9110, section 10.1.1). An answer to HEAD has no content.
        """
        if isinstance(event, h11.Response) and self.they_are_waiting_for_100_continue:
            event = _closing(event)
        if isinstance(event, h11.Data) and self._request_method == b"HEAD":
            event = h11.Data(data=b"")
        return super().send(event)

    def _head(self) -> bytes:
        """Return the data of the next request, without empty lines before it (RFC 9112, section 2.2)."""
        data, _ = self.trailing_data
        if empty := _EMPTY_LINES.match(data):
            self._receive_buffer.maybe_extract_at_most(empty.end())
            data = data[empty.end() :]
        return data


def _closing(response: h11.Response) -> h11.Response:
    return h11.Response(
        status_code=response.status_code,
        headers=[*response.headers, (b"connection", b"close")],
        reason=response.reason,
    )
