"""Closing a connection whose caller does not read."""

import asyncio
import socket

from entrypoints.api.server.transport import LingeringTransport

ANSWER = b"x" * 30_000_000
"""More than the buffers of the system hold."""


class Answering(asyncio.Protocol):
    """Protocol that answers at once, and closes."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        lingering = LingeringTransport(transport, lambda: False, read_seconds=0.2)
        lingering.write(ANSWER)
        lingering.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.ended.set()


async def test_a_caller_that_reads_nothing_is_given_up() -> None:
    protocol = Answering()
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        async with asyncio.timeout(60):
            await protocol.ended.wait()
    server.close()
