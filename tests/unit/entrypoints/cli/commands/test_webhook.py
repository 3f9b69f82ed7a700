"""`transcripts webhook`, and the commands about the route where events go to a webhook."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.web.webhook.signature import key_of
from domain.model.events.event import TEST_EVENT_LABEL
from tests.support.harness.command_line import Caller
from tests.support.harness.ports import free_port
from tests.support.web.authority import Authority
from tests.support.web.webhook_server import SECRET, WebhookServer, webhook_server

LINE = (
    "EVENT_TRANSPORT=webhook: there is nothing to provision here; `transcripts verify` sends a test event.\n"
)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Caller:
    return Caller(capsys)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def endpoint(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[WebhookServer]:
    with webhook_server(authority.serving("localhost")) as server:
        monkeypatch.setenv("EVENT_TRANSPORT", "webhook")
        monkeypatch.setenv("WEBHOOK_URL", f"https://localhost:{server.port}/path-hunter2")
        monkeypatch.setenv("WEBHOOK_SECRETS", SECRET)
        monkeypatch.setenv("WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8,::1/128")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/transcripts.db")
        yield server


def test_a_secret_is_made(call: Caller) -> None:
    made = call("webhook", "secret")

    assert made.code == 0
    assert len(key_of(made.out.strip())) == 32
    assert key_of(call("webhook", "secret", "--json").answer["secret"]) != key_of(made.out.strip())


def test_verify_sends_a_test_event_and_tells_what_the_endpoint_did(
    call: Caller, endpoint: WebhookServer
) -> None:
    told = call("verify", "--json")

    (received,) = endpoint.requests
    assert received.arrival.labels == (TEST_EVENT_LABEL,)
    assert told.code == 0
    assert told.answer["ok"] is True
    assert told.answer["transport"] == "webhook"
    assert told.answer["test_interaction_id"] == received.document["id"]
    address, answer = told.answer["observations"]
    assert address["step"] == "address"
    assert "127.0.0.1" in address["found"]
    assert answer["found"].startswith("204 after ")


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "Give the endpoint the secret"),
        (404, "Correct the path of WEBHOOK_URL"),
        (302, "redirects are not followed"),
        (410, "Set WEBHOOK_URL to the new endpoint"),
        (413, "EVENT_MAX_BYTES"),
        (500, "See the log of the endpoint"),
        (599, "See the log of the endpoint"),
    ],
)
def test_verify_names_the_status_and_a_remedy(
    call: Caller, endpoint: WebhookServer, status: int, remedy: str
) -> None:
    endpoint.reply(status, b"\x1b[31mno")

    told = call("verify")

    assert told.code == 1
    assert f"answered {status}" in told.out
    assert remedy in told.out
    assert "\\x1b[31mno" in told.out
    assert "hunter2" not in told.out + told.err


def test_verify_sends_one_event_of_each_kind(call: Caller, endpoint: WebhookServer) -> None:
    told = call("verify", "--kinds", "completed,failed", "--json")

    assert told.answer["ok"] is True
    assert told.answer["failed"]["ok"] is True
    types = [received.document["type"] for received in endpoint.requests]
    assert types == ["BatchProcessingCompleted", "BatchProcessingFailed"]


@pytest.mark.parametrize(
    ("variables", "link"),
    [
        ({"WEBHOOK_URL": f"https://localhost:{free_port()}/"}, "endpoint"),
        ({"WEBHOOK_URL": "https://169.254.169.254/latest/meta-data/"}, "address"),
        ({"WEBHOOK_URL": "https://no-such-host.invalid/"}, "name"),
        ({"SSL_CERT_FILE": ""}, "TLS"),
    ],
    ids=["endpoint", "address", "name", "TLS"],
)
def test_verify_names_the_step_that_failed(
    call: Caller,
    endpoint: WebhookServer,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    link: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if not variables.get("SSL_CERT_FILE", "a file"):
        monkeypatch.setenv("SSL_CERT_FILE", str(ssl.get_default_verify_paths().openssl_cafile))

    told = call("verify", "--json")

    findings = json.loads(told.out)["findings"]
    assert told.code == 1
    assert [finding["link"] for finding in findings] == [link]
    assert findings[0]["remedy"]
    assert endpoint.requests == []


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    "command",
    [("provision",), ("teardown", "--yes"), ("provision", "--repair", "--yes")],
    ids=["provision", "teardown", "repair"],
)
def test_there_is_nothing_to_provision(call: Caller, command: tuple[str, ...]) -> None:
    told = call(*command)
    as_json = call(*command, "--json")

    assert (told.code, told.out, told.err) == (0, LINE, "")
    assert as_json.answer == {"ok": True, "transport": "webhook", "note": LINE.rstrip()}


@pytest.mark.usefixtures("endpoint")
def test_the_status_is_that_of_outbox_and_jobs(call: Caller) -> None:
    told = call("status")

    assert told.code == 0
    assert told.out.splitlines()[-1] == LINE.rstrip()
    assert told.out.startswith("outbox")
    assert {"ok", "transport", "note", "outbox", "jobs"} == call("status", "--json").answer.keys()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "needs WEBHOOK_SECRETS"),
        ({"WEBHOOK_SECRETS": SECRET}, "needs WEBHOOK_URL"),
        ({"WEBHOOK_SECRETS": SECRET, "WEBHOOK_URL": "http://10.0.0.1/"}, "must begin with https://"),
        ({"WEBHOOK_SECRETS": SECRET, "WEBHOOK_URL": "https://me:hunter2@a.example/"}, "user or a password"),
        ({"WEBHOOK_SECRETS": "hunter2", "WEBHOOK_URL": "https://a.example/"}, "transcripts webhook secret"),
    ],
    ids=["nothing", "no URL", "plain text", "a password", "a short secret"],
)
@pytest.mark.parametrize("command", ["verify", "relay"])
def test_settings_that_are_missing_or_wrong_are_told(
    call: Caller, monkeypatch: pytest.MonkeyPatch, command: str, variables: dict[str, str], told: str
) -> None:
    for name, value in {"EVENT_TRANSPORT": "webhook", **variables}.items():
        monkeypatch.setenv(name, value)

    answer = call(command)

    assert answer.code == 2
    assert told in answer.err
    assert "hunter2" not in answer.err
