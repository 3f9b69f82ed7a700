"""NATS with JetStream for tests: a server of the PATH, with a stream for events."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import nats
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from tests.support.brokers.places import EventPlace
from tests.support.brokers.programs import answers, end, program, spawn
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

T = TypeVar("T")

USER, PASSWORD = "events", "sesame-4ad1f9"
STREAM = "EVENTS"


class NatsPlace(EventPlace):
    """Stream of a server that keeps its messages on the disk.

    Args:
        folder: of the server.
        options: of the server, such as `{"max_payload": 2000}`.
        stream: options of the stream.
    """

    transport = "nats"

    def __init__(self, folder: Path, *, options: dict[str, object] | None = None, **stream: object) -> None:
        self._program = program("nats-server", "`apt-get install nats-server`.")
        self._folder, self.port = folder, free_port()
        self._options, self._stream = options or {}, stream
        self.url = f"nats://{USER}:{PASSWORD}@127.0.0.1:{self.port}"
        self.environ = {"NATS_URL": self.url, "NATS_SUBJECT": "events.{detail_type}"}
        self.elsewhere = {"NATS_URL": self.url, "NATS_SUBJECT": "nowhere.{detail_type}"}
        self.unreachable = {"NATS_URL": f"nats://127.0.0.1:{free_port()}"}

    def start(self) -> None:
        """Start the server, and create the stream where there is none."""
        configuration = {
            "host": "127.0.0.1",
            "port": self.port,
            "jetstream": {"store_dir": str(self._folder)},
            "authorization": {"users": [{"user": USER, "password": PASSWORD}]},
            **self._options,
        }
        file = self._folder / "nats.conf"
        file.write_text(json.dumps(configuration))
        self._process = spawn([self._program, "-c", str(file)], self._folder)
        wait_until(lambda: answers(self.port))
        self.ask(self._create)

    def stop(self) -> None:
        """End the server."""
        end(self._process)

    def bodies(self, at_least: int = 0) -> list[bytes]:  # noqa: ARG002 - what is acknowledged is there
        """Read the stream from its beginning."""
        return self.ask(_read)

    def ask(self, question: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Ask the server over a connection of its own."""

        async def asked() -> T:
            client = await nats.connect(self.url)
            try:
                return await question(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    async def _create(self, stream: JetStreamContext) -> None:
        await stream.add_stream(StreamConfig(name=STREAM, subjects=["events.*"], **self._stream))  # type: ignore[arg-type]  # a test's own options


async def _read(stream: JetStreamContext) -> list[bytes]:
    state = (await stream.stream_info(STREAM)).state
    found = [
        await stream.get_msg(STREAM, number)
        for number in range(state.first_seq, state.last_seq + 1)
        if number
    ]
    return [message.data or b"" for message in found]
