"""What a service with authentication says of itself, and what it does not say."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers
from fastapi import Request
from fastapi.testclient import TestClient
from openapi_spec_validator import validate as validate_openapi

from adapters.auth.keys import KeyAuthenticator
from domain.model.access import Scope
from entrypoints.api.access import CallerDependency, credentials_of
from entrypoints.api.app import create_app
from entrypoints.api.server.server import server_config
from tests.support.doubles.access import AwayApiKeys
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.access import AccessStage, access_stage, bearer
from tests.support.harness.service import container_for

GATEWAY = {"AUTH": "gateway", "TRUSTED_PROXIES": "10.1.0.0/24"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[AccessStage]:
    with access_stage(tmp_path, AUTH="key") as stage:
        yield stage


def document(stage: AccessStage) -> Any:
    """Return the document, at the second time that it is asked for."""
    return [stage.send("GET", "/openapi.json", {}).json() for _ in range(2)][1]


def test_each_operation_names_its_schemes_and_its_scope(stage: AccessStage) -> None:
    described = document(stage)
    validate_openapi(described)

    schemes, paths = described["components"]["securitySchemes"], described["paths"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {"bearer": "http", "key": "apiKey"}
    assert paths["/batch/process"]["post"]["security"] == [{"bearer": ["write"]}, {"key": ["write"]}]
    assert paths["/batch/jobs"]["get"]["security"] == [{"bearer": ["read"]}, {"key": ["read"]}]
    assert "security" not in paths["/health/ready"]["get"]


@pytest.mark.parametrize("settings", [{}, GATEWAY], ids=["open", "gateway"])
def test_without_credentials_of_callers_no_scheme_is_described(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    with access_stage(tmp_path, **settings) as stage:
        described = document(stage)

    validate_openapi(described)
    assert "securitySchemes" not in described["components"]
    assert not any("security" in each for path in described["paths"].values() for each in path.values())


def test_a_probe_without_credentials_sees_readiness_alone(stage: AccessStage) -> None:
    assert stage.send("GET", "/health/ready", {}).json() == {"status": "ready", "reason": None}


def test_a_store_of_keys_that_is_away_is_no_fault_of_the_caller(stage: AccessStage) -> None:
    key = stage.key()
    stage.container.authenticator.override(providers.Object(KeyAuthenticator(AwayApiKeys())))

    answer = stage.send("GET", "/batch/jobs", bearer(key))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"].endswith(":authenticator-unavailable")
    assert "www-authenticate" not in answer.headers


def test_no_log_line_has_a_key(stage: AccessStage, caplog: pytest.LogCaptureFixture) -> None:
    good, bad = stage.key(), stage.key(scopes=frozenset({Scope.WRITE}))
    with caplog.at_level(logging.DEBUG):
        for key in (good, bad, good[:-1]):
            stage.send("GET", "/batch/jobs", bearer(key))

    assert caplog.records
    assert not any(key.split("_")[2][:20] in caplog.text for key in (good, bad))


def test_a_refusal_is_a_line_in_the_log(stage: AccessStage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        stage.send("GET", "/batch/jobs", {})

    (refused,) = [record for record in caplog.records if record.message == "request refused"]
    assert vars(refused)["error_type"] == "UnauthenticatedError"


def test_a_route_that_has_a_caller_and_names_no_scope_answers_no_caller(tmp_path: Path) -> None:
    app = create_app(container_for(tmp_path / "spool", FixedTranscriber()))

    @app.get("/forgotten")
    async def forgotten(caller: CallerDependency) -> str:
        return str(caller)

    with TestClient(app, raise_server_exceptions=False) as api:
        assert api.get("/forgotten").status_code == 500


def test_uvicorn_believes_no_header_about_the_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")

    config = server_config(create_app(container_for(tmp_path / "spool", FixedTranscriber())))

    assert not config.proxy_headers
    assert list(config.forwarded_allow_ips) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [("zoë".encode(), "zoë"), ("zoë".encode("latin-1"), "zoë"), (b"alice", "alice")],
    ids=["utf-8", "latin-1", "ascii"],
)
def test_headers_are_utf_8_or_latin_1(value: bytes, text: str) -> None:
    headers = [(b"x-user-id", value), (b"x-user-id", b"")]

    found = credentials_of(Request({"type": "http", "headers": headers, "client": ("10.1.0.9", 1)}))

    assert found.all_values("X-User-ID") == [text, ""]
    assert found.peer == "10.1.0.9"


def test_a_unix_socket_has_no_peer() -> None:
    assert credentials_of(Request({"type": "http", "headers": [], "client": None})).peer is None
