import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from adapters.downloads import DownloadLimits
from adapters.web.https_source import HttpsRecordingSource
from tests.support.web.authority import Authority
from tests.support.web.names import Names
from tests.support.web.tls_server import TlsServer, tls_server

HOST = "media.example.com"
LOOPBACK = ip_network("127.0.0.0/8")

Build = Callable[..., HttpsRecordingSource]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certified(authority: Authority) -> ssl.SSLContext:
    return authority.serving(HOST)


@pytest.fixture
def server(certified: ssl.SSLContext) -> Iterator[TlsServer]:
    with tls_server(certified) as running:
        yield running


@pytest.fixture
def url(server: TlsServer) -> str:
    return f"https://{HOST}:{server.port}/calls/1.wav?X-Signature=hunter2"


@pytest.fixture
def build(authority: Authority) -> Build:
    """Build a source for which the name leads to this machine, and this machine is allowed."""

    def build(**options: Any) -> HttpsRecordingSource:
        usual = {
            "limits": DownloadLimits(1_000_000, lambda _: True),
            "allowed": (LOOPBACK,),
            "tls": authority.trusting,
            "resolve": Names("127.0.0.1"),
        }
        return HttpsRecordingSource(**{**usual, **options})

    return build


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "fetched"
