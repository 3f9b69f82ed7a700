"""Server-side request forgery, and endpoints that break, lie or take their time."""

import logging
import socket
import ssl
from ipaddress import ip_network
from threading import Event, Thread
from typing import NoReturn

import pytest

from adapters.web.webhook.client import MAX_KEPT_SECONDS
from domain.model.errors import EventBusUnavailableError
from domain.model.events.event import Publication
from tests.support.harness.ports import free_port
from tests.support.samples.factories import an_event
from tests.support.web.authority import Authority
from tests.support.web.names import Names
from tests.support.web.tls_server import TlsServer, drips, ok, sends, tls_server
from tests.support.web.webhook_server import WebhookServer, webhook_server
from tests.unit.adapters.web.conftest import HOST
from tests.unit.adapters.web.webhook.conftest import BuildEndpoint, BuildPublisher

METADATA = {
    "the metadata of clouds": "169.254.169.254",
    "the same by NAT64": "64:ff9b::a9fe:a9fe",
    "the same by NAT64 of a network": "64:ff9b:1::a9fe:a9fe",
    "the same, mapped": "::ffff:169.254.169.254",
    "the same by 6to4": "2002:a9fe:a9fe::1",
    "AWS's in IPv6": "fd00:ec2::254",
    "carriers' networks": "100.64.0.1",
    "Alibaba's metadata": "100.100.100.200",
    "a private network": "10.0.0.1",
    "a private network, mapped": "::ffff:10.0.0.1",
    "another machine's loopback": "127.1.2.3",
    "multicast": "239.1.2.3",
    "a public and a private one": "93.184.216.34 192.168.0.1",
    "this network": "0.0.0.1",
}


def failure(outcome: object) -> str:
    assert type(outcome) is EventBusUnavailableError
    return str(outcome)


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize("addresses", METADATA.values(), ids=METADATA)
def test_no_byte_is_sent_to_an_address_that_is_not_public(
    build: BuildPublisher, build_endpoint: BuildEndpoint, addresses: str
) -> None:
    publisher = build(build_endpoint("https://hooks.example/", allowed=(), resolve=Names(addresses)))

    outcomes = publisher.publish_all([an_event(), an_event()])

    assert all("to which no event is sent" in failure(outcome) for outcome in outcomes)


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    "host", ["[64:ff9b::a9fe:a9fe]", "169.254.169.254", "[::ffff:a9fe:a9fe]", "127.0.0.1"]
)
def test_an_address_in_the_url_is_checked_too(
    build: BuildPublisher, build_endpoint: BuildEndpoint, host: str
) -> None:
    publisher = build(build_endpoint(f"https://{host}/latest/meta-data/", allowed=()))

    assert "to which no event is sent" in failure(publisher.publish_all([an_event()])[0])


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"])
def test_no_setting_admits_the_metadata_of_clouds(
    build: BuildPublisher, build_endpoint: BuildEndpoint, address: str
) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    publisher = build(build_endpoint("https://hooks.example/", allowed=everything, resolve=Names(address)))

    assert "to which no event is sent" in failure(publisher.publish_all([an_event()])[0])


def test_a_name_that_changes_between_look_ups_changes_nothing_between_check_and_connection(
    endpoint: WebhookServer, build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    names = Names("127.0.0.1", "169.254.169.254")
    moments = [0.0]
    publisher = build(build_endpoint(resolve=names), client_clock=lambda: moments[0])

    first = publisher.publish_all([an_event()])
    moments[0] = MAX_KEPT_SECONDS  # the connection is not used again
    second = publisher.publish_all([an_event()])

    assert isinstance(first[0], Publication)
    assert names.asked == [HOST, HOST]
    assert "169.254.169.254" in failure(second[0])
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_metadata_is_not_followed(
    endpoint: WebhookServer, build: BuildPublisher, build_endpoint: BuildEndpoint, status: int
) -> None:
    endpoint.reply(status, Location="http://169.254.169.254/latest/meta-data/")
    names = Names("127.0.0.1")

    (outcome,) = build(build_endpoint(resolve=names)).publish_all([an_event()])

    assert f"answered {status}" in failure(outcome)
    assert names.asked == [HOST]
    assert len(endpoint.requests) == 1


def test_proxies_of_the_environment_are_ignored(
    endpoint: WebhookServer, build: BuildPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert isinstance(build().publish_all([an_event()])[0], Publication)
    assert len(endpoint.requests) == 1


def test_plain_text_reaches_only_the_operators_networks(
    build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    with webhook_server() as plain:
        listed = build(build_endpoint(f"http://127.0.0.1:{plain.port}/"))
        public = build(build_endpoint("http://hooks.example/", resolve=Names("93.184.216.34")))

        assert isinstance(listed.publish_all([an_event()])[0], Publication)
        assert "http:// reaches networks in" in failure(public.publish_all([an_event()])[0])


def test_the_certificate_must_be_the_hosts(
    endpoint: WebhookServer, build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    publisher = build(build_endpoint(f"https://another.example:{endpoint.port}/"))

    assert "the certificate of the endpoint is not valid" in failure(publisher.publish_all([an_event()])[0])
    assert endpoint.requests == []


def test_an_authority_must_be_trusted(
    endpoint: WebhookServer, build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    publisher = build(build_endpoint(tls=ssl.create_default_context))

    assert "the certificate of the endpoint is not valid" in failure(publisher.publish_all([an_event()])[0])
    assert endpoint.requests == []


def test_an_expired_certificate_keeps_the_event(
    authority: Authority, build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    with tls_server(authority.serving("expired.example", expired=True)) as server:
        publisher = build(build_endpoint(f"https://expired.example:{server.port}/"))

        assert "certificate has expired" in failure(publisher.publish_all([an_event()])[0])


def test_a_server_without_tls_keeps_the_event(build: BuildPublisher, build_endpoint: BuildEndpoint) -> None:
    with webhook_server() as plain:
        publisher = build(build_endpoint(f"https://{HOST}:{plain.port}/"))

        assert "TLS with the endpoint failed" in failure(publisher.publish_all([an_event()])[0])


def test_a_name_without_an_address_keeps_the_event(
    build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    def unknown(_host: str) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    publisher = build(build_endpoint(resolve=unknown))

    assert failure(publisher.publish_all([an_event()])[0]).endswith("Name or service not known")


BROKEN = {
    "nothing": b"",
    "another protocol": b"220 smtp.example.com ESMTP\r\n",
    "a cut status": b"HTTP/1.1 2",
    "a cut body": ok(b"not all", "Content-Length: 9", sized=False),
    "a cut chunk": ok(b"", "Transfer-Encoding: chunked", sized=False) + b"8\r\nnot",
    "a wrong chunk": ok(b"", "Transfer-Encoding: chunked", sized=False) + b"four\r\n",
    "a huge header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("ends_properly", [True, False])
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_no_whole_one_keeps_the_event(
    server: TlsServer,
    build: BuildPublisher,
    build_endpoint: BuildEndpoint,
    answer: bytes,
    *,
    ends_properly: bool,
) -> None:
    server.answer = sends(answer, ends_properly=ends_properly)
    publisher = build(build_endpoint(f"https://{HOST}:{server.port}/"))

    failure(publisher.publish_all([an_event()])[0])


SLOW = {
    "says nothing": (b"", b"", 60.0),
    "drips its head": (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n", 0.05),
    "drips a header": (b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.05),
    "drips its body": (ok(b"", "Content-Length: 4000", sized=False), b"x", 0.05),
    "goes on for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
}


@pytest.mark.parametrize(("start", "drop", "every"), SLOW.values(), ids=SLOW)
def test_an_endpoint_that_takes_its_time_ends_with_the_time(
    server: TlsServer,
    build: BuildPublisher,
    build_endpoint: BuildEndpoint,
    start: bytes,
    drop: bytes,
    every: float,
) -> None:
    server.answer = drips(start, drop, every_seconds=every)
    publisher = build(build_endpoint(f"https://{HOST}:{server.port}/"), timeout_seconds=0.5)

    first, *others = publisher.publish_all([an_event() for _ in range(3)])

    assert "did not answer in time" in failure(first)
    assert all("not sent: earlier events of the call" in failure(each) for each in others)


def test_an_endpoint_that_does_not_read_ends_with_the_time(
    build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        publisher = build(build_endpoint(f"http://127.0.0.1:{deaf.getsockname()[1]}/"), timeout_seconds=0.5)
        event = an_event(raw_transcript="x" * 900_000)

        assert "did not answer in time" in failure(publisher.publish_all([event])[0])


def test_a_huge_answer_is_not_read(
    server: TlsServer, build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    sent = Event()

    def floods(tls: ssl.SSLSocket, stop: Event) -> None:
        tls.sendall(ok(b"", "Content-Length: 1000000000", sized=False))
        while not stop.is_set():
            tls.sendall(b"x" * 65_536)
        sent.set()

    server.answer = floods
    publisher = build(build_endpoint(f"https://{HOST}:{server.port}/"))

    outcomes = publisher.publish_all([an_event(), an_event()])

    assert [type(each) for each in outcomes] == [Publication] * 2
    assert server.connections == 2  # neither is kept
    assert not sent.is_set()


def test_a_connection_that_the_endpoint_has_closed_is_replaced(
    server: TlsServer, build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    server.answer = sends(ok(b""))  # and ends, without having said so
    publisher = build(build_endpoint(f"https://{HOST}:{server.port}/"))

    outcomes = [publisher.publish_all([an_event()])[0] for _ in range(3)]

    assert [type(each) for each in outcomes] == [Publication] * 3
    assert server.connections == 3


def test_an_endpoint_that_refuses_a_long_body_before_it_has_read_it_is_understood(
    build: BuildPublisher, build_endpoint: BuildEndpoint
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(ok(b"", "Connection: close", status="413 Content Too Large"))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass

    thread = Thread(target=refuse)
    thread.start()
    with listener:
        publisher = build(build_endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        (outcome,) = publisher.publish_all([an_event(raw_transcript="x" * 900_000)])
        thread.join()

    assert "answered 413" in str(outcome)


def test_no_message_quotes_path_or_secret(
    build: BuildPublisher, build_endpoint: BuildEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"https://{HOST}:{free_port()}/path-hunter1?token=hunter2"

    (outcome,) = build(build_endpoint(url)).publish_all([an_event()])

    assert "hunter" not in str(outcome) + caplog.text
