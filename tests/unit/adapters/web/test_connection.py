"""Answers that `http.client` reads in a way that no client of events and recordings may."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_network
from threading import Thread
from typing import BinaryIO, NamedTuple

import pytest

from adapters.web.locations import parsed
from adapters.web.webhook.client import WebhookClient
from adapters.web.webhook.endpoint import Endpoint
from adapters.web.webhook.errors import EndpointError
from tests.support.web.tls_server import ok

LOOPBACK = ip_network("127.0.0.0/8")


class _Site(NamedTuple):
    client: WebhookClient
    answers: dict[bytes, bytes]
    """Bytes of the answer by the body of the request."""


@pytest.fixture
def site() -> Iterator[_Site]:
    """Start an endpoint that keeps its connections open."""
    answers: dict[bytes, bytes] = {}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
        client = WebhookClient(Endpoint(parsed(url, schemes=("http",)), allowed=(LOOPBACK,)))
        thread = Thread(target=_accept, args=(listener, answers))
        thread.start()
        yield _Site(client, answers)
        client.close()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, answers: dict[bytes, bytes]) -> None:
    threads = []
    with suppress(OSError):
        while True:
            threads.append(Thread(target=_serve, args=(listener.accept()[0], answers)))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _serve(connection: socket.socket, answers: dict[bytes, bytes]) -> None:
    with connection, connection.makefile("rb") as stream, suppress(OSError):
        while (body := _body(stream)) is not None:
            connection.sendall(answers[body])


def _body(stream: BinaryIO) -> bytes | None:
    """Read a request; None at the end of the connection."""
    size = 0
    while (line := stream.readline()) != b"\r\n":
        if not line:
            return None
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":")[1])
    return stream.read(size)


@pytest.mark.parametrize("interim", ["102 Processing", "103 Early Hints", "199 Odd"])
def test_an_interim_answer_is_not_the_answer_and_leaves_none_to_the_next_request(
    site: _Site, interim: str
) -> None:
    hints = f"HTTP/1.1 {interim}\r\nLink: </style.css>\r\n\r\n".encode()
    site.answers[b"first"] = hints + hints + ok(b"", status="204 No Content", sized=False)
    site.answers[b"second"] = ok(b"", status="500 Internal Server Error")

    first = site.client.post(b"first", {}, seconds=60)
    second = site.client.post(b"second", {}, seconds=60)

    assert first.status == HTTPStatus.NO_CONTENT
    assert second.status == HTTPStatus.INTERNAL_SERVER_ERROR


def test_a_chunk_of_negative_size_is_not_read_to_the_end_of_the_connection(site: _Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.answers[b"event"] = head + b"-1\r\n" + b"x" * 1_000_000

    with pytest.raises(EndpointError, match="no whole answer"):
        site.client.post(b"event", {}, seconds=60)
