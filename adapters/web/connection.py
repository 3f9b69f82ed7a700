"""Connection to one of several checked addresses, with an end to every wait."""

import math
import socket
import ssl
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, parse_headers
from typing import TYPE_CHECKING, NamedTuple

from adapters.web.addresses import Address
from adapters.web.locations import Location

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined] # of Python 3.12

MAX_ADDRESSES = 4
"""Addresses of a host that are tried, one after another."""


class Timing(NamedTuple):
    """Limits of waits for a host."""

    connect_seconds: float = 10.0  # for each of connection and TLS handshake
    idle_seconds: float = 30.0  # without a byte
    start_seconds: float = 60.0  # to the end of the head, and of any slow part of the body
    bytes_per_second: float = 64 * 1024.0  # lowest average of a body

    def deadline(self, began: float, received: int) -> float:
        """Calculate when more bytes must have arrived, by the clock of `time.monotonic`."""
        return began + self.start_seconds + received / self.bytes_per_second


class DeadlineSocket(socket.socket):
    """Socket whose reads and writes end at a deadline, however slowly single bytes move."""

    deadline = math.inf
    idle_seconds = math.inf

    def recv_into(self, buffer: "Buffer", nbytes: int | None = None, flags: int = 0) -> int:
        """Read some bytes.

        Raises:
            TimeoutError: the deadline has passed, or no byte came for too long.
        """
        self._limit()
        return super().recv_into(buffer, memoryview(buffer).nbytes if nbytes is None else nbytes, flags)

    def send(self, data: "Buffer", flags: int = 0) -> int:
        """Write some bytes.

        Raises:
            TimeoutError: the deadline has passed, or no byte was taken for too long.
        """
        self._limit()
        return super().send(data, flags)

    def sendall(self, data: "Buffer", flags: int = 0) -> None:
        """Write all bytes; see `send`."""
        self._limit()
        super().sendall(data, flags)

    def _limit(self) -> None:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self.settimeout(min(self.idle_seconds, remaining))


class DeadlineTlsSocket(DeadlineSocket, ssl.SSLSocket):
    """The same for TLS."""


class StrictResponse(HTTPResponse):
    """Answer that is the final one, and whose chunks have sizes; `http.client` checks neither."""

    def _read_status(self) -> tuple[str, int, str]:
        """Skip interim answers, for which no client need ask (RFC 9110, section 15.2).

        The final answer would be left on the connection, and be taken for the one to the next request.
        """
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # unknown to typeshed
            if not HTTPStatus.SWITCHING_PROTOCOLS < status < HTTPStatus.OK:
                return version, status, reason
            parse_headers(self.fp)

    def _read_next_chunk_size(self) -> int:
        """Refuse a negative size, by which all that is sent would be read into memory."""
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]  # unknown to typeshed
        if size < 0:
            raise HTTPException("the size of a chunk is negative")
        return size


class PinnedConnection(HTTPConnection):
    """Connection that resolves no name: it goes to the addresses that were checked.

    The name is what the certificate is checked against, what TLS asks for, and the header Host. Proxies are
    ignored, since they would resolve the name again.
    """

    response_class = StrictResponse

    def __init__(
        self,
        location: Location,
        addresses: Sequence[Address],
        context: ssl.SSLContext | None,  # None for a connection in plain text
        timing: Timing,
    ) -> None:
        super().__init__(location.host, location.port, timeout=timing.connect_seconds)
        self.default_port = location.default_port  # the one that the header Host leaves out
        self._addresses = addresses[:MAX_ADDRESSES]
        self._tls = context
        self._timing = timing
        self._began = time.monotonic()
        if context is not None:
            context.sslsocket_class = DeadlineTlsSocket

    def connect(self) -> None:
        """Connect to the first address that answers, and check the certificate."""
        plain = self._plain()
        connected = plain if self._tls is None else self._encrypted(plain, self._tls)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.idle_seconds = self._timing.idle_seconds
        self.sock = self._moving = connected  # http.client forgets its socket once it has read the head
        self.note_received(0)

    def restart(self, timing: Timing) -> None:
        """Set new limits, which begin now, for another request on the same connection."""
        self._timing, self._began = timing, time.monotonic()
        self._moving.idle_seconds = timing.idle_seconds
        self.note_received(0)

    def note_received(self, received: int) -> None:
        """Move the deadline with the bytes that have been received."""
        self._moving.deadline = self._timing.deadline(self._began, received)

    def _plain(self) -> DeadlineSocket:
        for place, address in enumerate(self._addresses, 1):
            try:
                return self._connected(address)
            except OSError:
                if place == len(self._addresses):
                    raise
        raise OSError("no address")

    def _connected(self, address: Address) -> DeadlineSocket:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - of IP
        plain = DeadlineSocket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(self._connect_seconds())
            plain.connect((str(address), self.port))
        except BaseException:
            plain.close()
            raise
        return plain

    def _encrypted(self, plain: DeadlineSocket, tls: ssl.SSLContext) -> DeadlineSocket:
        try:
            plain.settimeout(self._connect_seconds())
            # a connection that is cut must not look like the end of the recording
            encrypted = tls.wrap_socket(plain, server_hostname=self.host, suppress_ragged_eofs=False)
        except BaseException:
            plain.close()
            raise
        if not isinstance(encrypted, DeadlineTlsSocket):
            raise TypeError("the context makes other sockets")
        return encrypted

    def _connect_seconds(self) -> float:
        remaining = self._timing.deadline(self._began, 0) - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return min(self._timing.connect_seconds, remaining)
