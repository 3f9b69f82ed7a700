"""NATS JetStream as a broker: an event is published once a stream has stored it."""

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from adapters.brokers.connection import Acknowledgement, Broker, BrokerConnection, lost
from adapters.brokers.message import BrokerMessage
from adapters.nats.answers import connection_failure, read_answer
from ports.event_port import too_large

MESSAGE_ID = "Nats-Msg-Id"
"""Header by which a stream recognises duplicates, within its window of two minutes."""

CONNECT_SECONDS = 5
CLIENT_ERRORS = (NatsError, OSError, TimeoutError)


@dataclass(frozen=True)
class NatsServers(Broker):
    """Servers of one NATS cluster."""

    urls: tuple[str, ...] = field(repr=False)
    subject: str
    """Subject of the events; `{detail_type}` stands for the type of the event."""
    credentials: Path | None = None

    @property
    def name(self) -> str:
        """Return the addresses of the servers."""
        hosts = (f"{url.hostname}:{url.port or 4222}" for url in map(urlsplit, self.urls))
        return f"NATS at {', '.join(hosts)}"

    async def connect(self) -> "NatsConnection":
        """Connect to the first server that answers."""
        connection = NatsConnection(self)
        await connection.open()
        return connection


class NatsConnection(BrokerConnection):
    """Connection that does not outlive its server: the publisher opens the next one."""

    def __init__(self, servers: NatsServers) -> None:
        super().__init__()
        self._servers = servers
        self._client = Client()
        self._numbers = count(1)
        self._inbox = ""
        self._subjects: dict[str, str] = {}  # of the messages that wait, by the inbox of their answer
        self._error: Exception | None = None

    async def open(self) -> None:
        """Connect.

        Raises:
            EventBusUnavailableError: no server answers, or one refuses the credentials.
        """
        try:
            await self._connect()
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self._inbox}.*", cb=self._read)
        except CLIENT_ERRORS as error:
            await self._client.close()
            raise connection_failure(self._servers.name, self._error or error) from error
        except BaseException:  # cancelled
            await self._client.close()
            raise

    async def send(self, message: BrokerMessage, /) -> Acknowledgement:
        """Send a message to the subject of its type."""
        subject = self._servers.subject.replace("{detail_type}", message.type)
        headers = {MESSAGE_ID: message.id, **message.headers}
        size = len(message.body) + _bytes_of(headers)
        if size > self._client.max_payload:
            raise too_large(size, self._client.max_payload)
        if self.failure:
            raise self.failure
        reply = f"{self._inbox}.{next(self._numbers)}"
        self._subjects[reply] = subject
        acknowledgement = self._wait_for(reply)
        try:
            await self._client.publish(subject, message.body, reply=reply, headers=headers)
        except CLIENT_ERRORS as error:
            self.fail(lost(self._servers.name, error))
        return acknowledgement

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _connect(self) -> None:
        credentials = self._servers.credentials
        await self._client.connect(
            list(self._servers.urls),
            user_credentials=None if credentials is None else str(credentials),
            error_cb=self._note,
            closed_cb=self._closed,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # of each server; 0 would mean for ever
            reconnect_time_wait=0,
            connect_timeout=CONNECT_SECONDS,
        )

    async def _read(self, answer: Msg) -> None:
        subject = self._subjects.pop(answer.subject, "")
        status = (answer.headers or {}).get("Status")
        self._settle(answer.subject, read_answer(subject, status, answer.data))

    async def _note(self, error: Exception) -> None:
        """Keep an error for the message; a violated permission has no other answer."""
        self._error = error
        if self._client.is_connected:
            self.fail(connection_failure(self._servers.name, error))

    async def _closed(self) -> None:
        self.fail(lost(self._servers.name, self._error or self._client.last_error or "the server closed it"))


def _bytes_of(headers: dict[str, str]) -> int:
    """Count the bytes of the headers, which NATS counts towards its limit."""
    return len("NATS/1.0\r\n\r\n") + sum(len(f"{name}: {value}\r\n") for name, value in headers.items())
