"""Pages with status 200 that do not come from AWS: a captive portal's, a proxy's, another server's."""

import json
from collections.abc import Iterator

import pytest

from tests.support.aws.page_server import PageServer, page_server
from tests.support.harness.command_line import Caller

pytestmark = pytest.mark.slow

COMMANDS = {
    "provision": ("provision",),
    "verify": ("verify", "--timeout", "1"),
    "status": ("status",),
    "teardown": ("teardown", "--yes"),
    "consume": ("consume", "--drain", "--exec", "true"),
    "dlq list": ("dlq", "list"),
    "dlq redrive": ("dlq", "redrive", "--all"),
    "replay": ("replay", "--from", "2026-11-23T08:00:00Z"),
    "iam-policy": ("iam-policy", "consumer"),
}
PAGES = {
    "an HTML page": b"<!DOCTYPE html>\n<html><title>Log in</title><p>Welcome to our WiFi</html>",
    "a page of well-formed XHTML": b'<?xml version="1.0"?><html><body>Down for maintenance</body></html>',
    "a JSON object": b"{}",
    "a JSON list": b"[]",
    "JSON's null": b"null",
    "nothing": b"",
}


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with page_server() as server:
        yield server


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_not_aws_fails_in_one_line_that_names_call_and_page(
    server: PageServer, call: Caller, monkeypatch: pytest.MonkeyPatch, page: str, command: str
) -> None:
    server.page = PAGES[page]
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)

    told = call(*COMMANDS[command], "--json")

    answer = json.loads(told.out)
    told_at_all = told.out + told.err
    assert told.code == 1
    assert answer["ok"] is False
    assert "which does not come from AWS" in told_at_all
    assert "check the network, AWS_REGION and AWS_ENDPOINT_URL" in told_at_all
    assert "Traceback" not in told.err
    assert "Welcome" not in told_at_all
    if "error" in answer:
        assert len([line for line in told.err.splitlines() if line.startswith("Error: ")]) == 1
