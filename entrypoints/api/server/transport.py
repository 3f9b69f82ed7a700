"""Transport that closes a connection so that the caller can read its answer, and only as long as it does."""

import asyncio
from collections.abc import Callable
from typing import Any

LINGER_SECONDS = 5.0
"""Time for a caller that still sends to notice its answer."""
READ_SECONDS = 30.0
"""Time in which a caller must read at least some of an answer that waits for it."""


class LingeringTransport:
    """TCP transport whose `close` waits for the caller, in bounded time.

    A caller that still sends gets the end of its answer first, and the end of the connection when it has
    stopped: a connection that is closed with unread data is reset, and the answer is lost (RFC 9112, section
    9.6). The protocol drops what it receives while `is_closing`.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        is_sending: Callable[[], bool],
        *,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._transport = transport
        self._is_sending = is_sending
        self._read_seconds = read_seconds
        self._is_closing = False
        self._timer: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the transport has it
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return true once `close` was called."""
        return self._is_closing or self._transport.is_closing()

    def close(self) -> None:
        """Close the connection behind its answer."""
        if self.is_closing():
            return
        self._is_closing = True
        if self._is_sending():
            self._transport.write_eof()
            self._transport.resume_reading()
            self._later(LINGER_SECONDS, self._flush)
        else:
            self._flush()

    def stop(self) -> None:
        """Stop waiting for the caller, whose connection is closed."""
        if self._timer is not None:
            self._timer.cancel()

    def _flush(self) -> None:
        self._transport.close()
        self._watch(self._transport.get_write_buffer_size())

    def _watch(self, unread: int) -> None:
        """Look again after a while, and give up a caller that has read nothing meanwhile."""
        if unread:
            self._later(self._read_seconds, lambda: self._watch_on(unread))

    def _watch_on(self, unread: int) -> None:
        left = self._transport.get_write_buffer_size()
        if left < unread:
            self._watch(left)
        else:
            self._transport.abort()

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, work)
