"""Fetching over HTTPS, from a server on this machine that misbehaves as a test says."""

import logging
import os
import socket
import ssl
import traceback
from ipaddress import ip_network
from pathlib import Path
from threading import Event, Thread
from typing import Any, NoReturn

import pytest

from adapters.downloads import DownloadLimits
from adapters.web.connection import Timing
from adapters.web.https_source import HttpsRecordingSource
from adapters.web.locations import location_of
from domain.model.errors import (
    RecordingStoreUnavailableError,
    RecordingTooLargeError,
    SourceRefusedError,
    SourceUnavailableError,
    TranscriptionServiceError,
)
from tests.support.web.authority import Authority
from tests.support.web.names import Names
from tests.support.web.tls_server import TlsServer, drips, ok, sends, tls_server
from tests.unit.adapters.web.conftest import HOST, Build

QUICK = Timing(connect_seconds=30.0, idle_seconds=0.3, start_seconds=1.0, bytes_per_second=1_000_000.0)


def failed(source: HttpsRecordingSource, url: str, target: Path) -> TranscriptionServiceError:
    with pytest.raises(TranscriptionServiceError) as failure:
        source.fetch(url, target, Event())
    return failure.value


def test_a_recording_is_written_as_it_was_sent(
    server: TlsServer, build: Build, url: str, target: Path
) -> None:
    content = os.urandom(700_000)
    server.answer = sends(ok(content))

    build().fetch(url, target, Event())

    assert target.read_bytes() == content


def test_a_chunk_of_negative_size_is_not_read(
    server: TlsServer, build: Build, url: str, target: Path
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answer = sends(head + b"-1\r\n" + b"x" * 3_000_000)  # more than the limit, if it were read

    assert isinstance(failed(build(), url, target), SourceUnavailableError)


def test_an_interim_answer_is_skipped(server: TlsServer, build: Build, url: str, target: Path) -> None:
    server.answer = sends(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok(b"RIFF"))

    build().fetch(url, target, Event())

    assert target.read_bytes() == b"RIFF"


def test_the_server_is_asked_for_its_name_and_for_no_compression(
    server: TlsServer, build: Build, url: str, target: Path
) -> None:
    build().fetch(url, target, Event())

    request, *fields = server.heads[0].strip().split("\r\n")
    assert request == "GET /calls/1.wav?X-Signature=hunter2 HTTP/1.1"
    assert f"Host: {HOST}:{server.port}" in fields
    assert [field for field in fields if field.startswith("Accept-Encoding")] == ["Accept-Encoding: identity"]
    assert server.names == [HOST]


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"RIFFdata", "Transfer-Encoding: chunked", sized=False)[:-8]
        + b"4\r\nRIFF\r\n4\r\ndata\r\n0\r\n\r\n",
        ok(b"RIFFdata", "Connection: close", sized=False),
        ok(b"RIFFdata", "Content-Encoding: identity"),
        ok(b"RIFFdata", "Content-Length: 8"),
        ok(b"RIFFdata") + b"more than declared",
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"RIFFdata"),
    ],
    ids=["chunked", "until the end", "identity", "the same size twice", "more than declared", "continue"],
)
def test_each_sound_framing_is_understood(
    server: TlsServer, build: Build, url: str, target: Path, answer: bytes
) -> None:
    server.answer = sends(answer)

    build().fetch(url, target, Event())

    assert target.read_bytes() == b"RIFFdata"


@pytest.mark.parametrize("ends_properly", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        ok(b"RIFF", "Content-Length: 8", sized=False),
        ok(b"", "Transfer-Encoding: chunked", sized=False) + b"8\r\nRIFF",
        ok(b"", "Transfer-Encoding: chunked", sized=False) + b"4\r\nRIFF\r\n",
        ok(b"", "Transfer-Encoding: chunked", sized=False) + b"four\r\nRIFF\r\n",
        ok(b"RIFF", "Content-Length: 4", "Content-Length: 5", sized=False),
        ok(b"RIFF", "Content-Length: 4, 5", sized=False),
        ok(b"RIFF", "Content-Length: -4", sized=False),
        ok(b"RIFF", "Content-Length: +4", sized=False),
        ok(b"RIFF", "Content-Length: ٤", sized=False),
        b"HTTP/1.1 200",
        b"220 smtp.example.com ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
        b"",
    ],
    ids=[
        "less than declared", "cut chunk", "no last chunk", "no chunk", "two sizes", "sizes in a list",
        "minus", "plus", "a digit of Arabic", "cut head", "another protocol", "a huge header",
        "many headers", "nothing",
    ],
)  # fmt: skip
def test_an_answer_that_is_cut_or_lies_may_be_tried_again(
    server: TlsServer, build: Build, url: str, target: Path, answer: bytes, *, ends_properly: bool
) -> None:
    server.answer = sends(answer, ends_properly=ends_properly)

    assert isinstance(failed(build(), url, target), SourceUnavailableError)


def test_a_cut_connection_is_not_the_end_of_a_recording_without_a_size(
    server: TlsServer, build: Build, url: str, target: Path
) -> None:
    server.answer = sends(ok(b"RIFF", "Connection: close", sized=False), ends_properly=False)

    assert isinstance(failed(build(), url, target), SourceUnavailableError)


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"x" * 11),
        ok(b"", "Content-Length: 11", sized=False),
        ok(b"x" * 11, sized=False),
        ok(b"", "Transfer-Encoding: chunked", sized=False) + b"b\r\nxxxxxxxxxxx\r\n0\r\n\r\n",
        ok(b"", "Transfer-Encoding: chunked", "Content-Length: 1", sized=False)
        + b"b\r\nxxxxxxxxxxx\r\n0\r\n\r\n",
    ],
    ids=["sized", "declared alone", "without a size", "chunked", "chunked with a small size"],
)
def test_a_recording_that_is_too_large_is_refused(
    server: TlsServer, build: Build, url: str, target: Path, answer: bytes
) -> None:
    server.answer = sends(answer)
    source = build(limits=DownloadLimits(10, lambda _: True))

    failure = failed(source, url, target)

    assert isinstance(failure, RecordingTooLargeError)
    assert str(failure) == "The recording is larger than 10 bytes."


def test_a_stream_without_end_is_left_at_the_limit(
    server: TlsServer, build: Build, url: str, target: Path
) -> None:
    server.answer = drips(ok(b"", sized=False), b"x" * 100_000, every_seconds=0.0)

    assert isinstance(failed(build(), url, target), RecordingTooLargeError)
    assert target.stat().st_size <= 1_000_000


def test_without_room_a_job_waits(server: TlsServer, build: Build, url: str, target: Path) -> None:
    source = build(limits=DownloadLimits(1_000_000, lambda size: size < 4))

    assert isinstance(failed(source, url, target), RecordingStoreUnavailableError)
    assert server.connections == 1


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "GZIP", "x-unknown"])
@pytest.mark.parametrize("field", ["Content-Encoding", "Transfer-Encoding"])
def test_a_compressed_recording_is_refused_unread(
    server: TlsServer, build: Build, url: str, target: Path, field: str, coding: str
) -> None:
    server.answer = sends(ok(b"\x1f\x8b", f"{field}: {coding}"))

    failure = failed(build(), url, target)

    assert isinstance(failure, SourceRefusedError)
    assert "compresses" in str(failure)
    assert not target.exists()


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_refused_and_not_followed(
    server: TlsServer, build: Build, url: str, target: Path, status: int
) -> None:
    away = "Location: https://169.254.169.254/latest/meta-data/iam/security-credentials/"
    server.answer = sends(ok(b"", away, status=f"{status} Elsewhere"))

    failure = failed(build(), url, target)

    assert isinstance(failure, SourceRefusedError)
    assert "redirects are not followed" in str(failure)
    assert "169.254" not in str(failure)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, SourceRefusedError) for status in (204, 206, 400, 401, 403, 404, 410, 416, 451)),
        *((status, SourceUnavailableError) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
    ],
)
def test_the_status_says_whether_to_try_again(
    server: TlsServer, build: Build, url: str, target: Path, status: int, kind: type[Exception]
) -> None:
    server.answer = sends(ok(b"internal details", status=f"{status} internal details"))

    failure = failed(build(), url, target)

    assert type(failure) is kind
    assert str(failure) == f"{HOST}:{server.port} answered {status} instead of the recording."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (ok(b"", "Content-Length: 1000", sized=False), b"x"),
        (ok(b"", "Transfer-Encoding: chunked", sized=False), b"1\r\nx\r\n"),
        (ok(b"", "Transfer-Encoding: chunked", sized=False) + b"0\r\n", b"X: x\r\n"),
    ],
    ids=["status line", "headers", "continue for good", "body", "chunks", "trailers"],
)
def test_a_server_that_sends_byte_by_byte_is_left_in_time(
    server: TlsServer, build: Build, url: str, target: Path, start: bytes, drop: bytes
) -> None:
    server.answer = drips(start, drop, every_seconds=0.05)

    failure = failed(build(timing=QUICK), url, target)

    assert isinstance(failure, SourceUnavailableError)
    # too many headers are noticed before the deadline where the machine is quick
    assert "in time" in str(failure) or "unreadable" in str(failure)


@pytest.mark.slow
@pytest.mark.parametrize("start", [b"", ok(b"RIFF", "Content-Length: 8", sized=False)], ids=["head", "body"])
def test_a_server_that_falls_silent_is_left_in_time(
    server: TlsServer, build: Build, url: str, target: Path, start: bytes
) -> None:
    server.answer = drips(start, b"", every_seconds=60.0)

    assert "in time" in str(failed(build(timing=QUICK), url, target))


@pytest.mark.slow
def test_a_server_that_never_shakes_hands_is_left_in_time(build: Build, target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://{HOST}:{silent.getsockname()[1]}/"

        failure = failed(build(timing=QUICK._replace(connect_seconds=0.3)), url, target)

    assert "in time" in str(failure)


def test_a_fetch_that_is_cancelled_ends_with_its_next_block(
    server: TlsServer, build: Build, url: str, target: Path
) -> None:
    cancelled = Event()

    def answer(tls: ssl.SSLSocket, _stop: Event) -> None:
        tls.sendall(ok(b"", "Content-Length: 900000", sized=False) + bytes(500_000))
        cancelled.set()
        tls.sendall(bytes(400_000))

    server.answer = answer

    with pytest.raises(SourceUnavailableError, match="the job was stopped"):
        build().fetch(url, target, cancelled)


def test_a_name_that_leads_elsewhere_the_second_time_is_resolved_once(
    server: TlsServer, build: Build, url: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("127.0.0.1", "127.0.0.2")

    def ask(*_arguments: Any, **_options: Any) -> NoReturn:
        raise AssertionError("the name is resolved again")

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
        monkeypatch.setattr(socket, name, ask)

    build(resolve=names).fetch(url, target, Event())

    assert names.asked == [HOST]
    assert server.connections == 1


def test_one_forbidden_address_among_others_is_enough_to_refuse(
    server: TlsServer, build: Build, url: str, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = build(resolve=Names("127.0.0.1 10.0.0.7"))

    with caplog.at_level(logging.WARNING):
        failure = failed(source, url, target)

    assert isinstance(failure, SourceRefusedError)
    assert "SOURCE_ALLOW_NETWORKS" in str(failure)
    assert "10.0.0.7" not in str(failure)
    assert server.connections == 0
    assert [record.__dict__["address"] for record in caplog.records] == ["10.0.0.7"]


def test_the_next_address_is_tried_where_one_does_not_answer(build: Build, url: str, target: Path) -> None:
    build(resolve=Names("127.0.0.9 127.0.0.1")).fetch(url, target, Event())

    assert target.read_bytes() == b"RIFF"


@pytest.mark.parametrize("fault", ["another name", "expired", "unknown authority"])
def test_a_certificate_that_is_not_the_hosts_is_not_accepted(
    build: Build, authority: Authority, target: Path, tmp_path: Path, fault: str
) -> None:
    theirs = Authority(tmp_path) if fault == "unknown authority" else authority
    context = theirs.serving(
        "other.example.com" if fault == "another name" else HOST, expired=fault == "expired"
    )
    with tls_server(context) as server:
        failure = failed(build(), f"https://{HOST}:{server.port}/", target)

    assert isinstance(failure, SourceUnavailableError)
    assert "certificate that is not accepted" in str(failure)
    assert server.heads == []


def test_a_certificate_for_an_address_is_accepted(build: Build, authority: Authority, target: Path) -> None:
    with tls_server(authority.serving("127.0.0.1")) as server:
        build().fetch(f"https://127.0.0.1:{server.port}/", target, Event())

    assert target.read_bytes() == b"RIFF"
    assert server.names == [None]


def test_a_server_without_tls_is_not_accepted(build: Build, target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = Thread(target=_answer_without_tls, args=(plain,))
        thread.start()

        failure = failed(build(), f"https://{HOST}:{plain.getsockname()[1]}/", target)
        thread.join(60)

    assert isinstance(failure, SourceUnavailableError)


def _answer_without_tls(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(ok(b"RIFF"))


def test_proxies_of_the_environment_are_ignored(
    server: TlsServer, build: Build, url: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    build().fetch(url, target, Event())

    assert server.connections == 1


def test_a_name_without_an_address_may_be_tried_again(build: Build, url: str, target: Path) -> None:
    def unknown(_host: str) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert "could not be found" in str(failed(build(resolve=unknown), url, target))


@pytest.mark.parametrize("case", ["status", "cut", "refused address", "certificate", "redirect", "port"])
def test_no_message_and_no_stack_trace_has_the_path_or_the_query(
    server: TlsServer,
    build: Build,
    url: str,
    target: Path,
    case: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = build()
    match case:
        case "status":
            server.answer = sends(ok(b"", status="403 hunter2"))
        case "cut":
            server.answer = sends(b"HTTP/1.1 hunter2\r\n\r\n")
        case "refused address":
            source = build(resolve=Names("10.0.0.1"))
        case "certificate":
            source = build(tls=ssl.create_default_context)
        case "redirect":
            server.answer = sends(ok(b"", "Location: https://hunter2/", status="302 hunter2"))
        case "port":
            source = build(allowed=())

    with caplog.at_level(logging.DEBUG):
        failure = failed(source, url, target)

    seen = (
        "".join(traceback.format_exception(failure)) + caplog.text + str([r.__dict__ for r in caplog.records])
    )
    assert "hunter2" not in seen
    assert "1.wav" not in seen
    assert HOST in str(failure)


@pytest.mark.parametrize(
    ("allowed", "addresses", "is_refused"),
    [
        ("", "93.184.216.34", True),
        ("93.184.216.0/24", "93.184.216.34", False),
        ("93.184.216.0/24", "93.184.216.34 8.8.8.8", True),
    ],
)
def test_another_port_is_for_the_operators_networks_alone(
    build: Build, allowed: str, addresses: str, *, is_refused: bool
) -> None:
    networks = tuple(ip_network(each) for each in allowed.split())
    source = build(allowed=networks, resolve=Names(addresses), limits=DownloadLimits(1, lambda _: True))

    if is_refused:
        with pytest.raises(SourceRefusedError, match="only port 443"):
            source._addresses(location_of(f"https://{HOST}:8443/"))
    else:
        assert len(source._addresses(location_of(f"https://{HOST}:8443/"))) == 1
