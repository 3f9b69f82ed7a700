"""HTTPS connection to one of several checked addresses, with an end to every wait."""

import math
import socket
import ssl
import time
from collections.abc import Sequence
from http.client import HTTPSConnection
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


class DeadlineSocket(ssl.SSLSocket):
    """TLS socket whose reads end at a deadline, however slowly single bytes arrive."""

    deadline = math.inf
    idle_seconds = math.inf

    def recv_into(self, buffer: "Buffer", nbytes: int | None = None, flags: int = 0) -> int:
        """Read some bytes.

        Raises:
            TimeoutError: the deadline has passed, or no byte came for too long.
        """
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self.settimeout(min(self.idle_seconds, remaining))
        return super().recv_into(buffer, nbytes, flags)


class PinnedConnection(HTTPSConnection):
    """Connection that resolves no name: it goes to the addresses that were checked.

    The name is what the certificate is checked against, what TLS asks for, and the header Host. Proxies are
    ignored, since they would resolve the name again.
    """

    def __init__(
        self, location: Location, addresses: Sequence[Address], context: ssl.SSLContext, timing: Timing
    ) -> None:
        super().__init__(location.host, location.port, context=context, timeout=timing.connect_seconds)
        self._addresses = addresses[:MAX_ADDRESSES]
        self._tls = context
        self._timing = timing
        self._began = time.monotonic()
        context.sslsocket_class = DeadlineSocket

    def connect(self) -> None:
        """Connect to the first address that answers, and check the certificate."""
        plain = self._plain()
        try:
            # a connection that is cut must not look like the end of the recording
            tls = self._tls.wrap_socket(plain, server_hostname=self.host, suppress_ragged_eofs=False)
        except BaseException:
            plain.close()
            raise
        if not isinstance(tls, DeadlineSocket):
            raise TypeError("the context makes other sockets")
        tls.idle_seconds = self._timing.idle_seconds
        self.sock = self._read_from = tls  # http.client forgets its socket once it has read the head
        self.note_received(0)

    def note_received(self, received: int) -> None:
        """Move the deadline with the bytes that have been received."""
        self._read_from.deadline = self._timing.deadline(self._began, received)

    def _plain(self) -> socket.socket:
        for place, address in enumerate(self._addresses, 1):
            try:
                return self._connected(address)
            except OSError:
                if place == len(self._addresses):
                    raise
        raise OSError("no address")

    def _connected(self, address: Address) -> socket.socket:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - of IP
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(self._timing.connect_seconds)
            plain.connect((str(address), self.port))
        except BaseException:
            plain.close()
            raise
        return plain
