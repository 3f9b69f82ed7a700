"""Region and account that a command works on."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bootstrap.aws import account
from tests.support.harness.command_line import Caller

pytestmark = pytest.mark.slow

PLACE_OF = account.place_of
COMMANDS = {
    "status": ("status",),
    "provision": ("provision",),
    "provision --dry-run": ("provision", "--dry-run"),
    "teardown": ("teardown", "--yes"),
    "verify": ("verify", "--timeout", "1"),
    "dlq list": ("dlq", "list"),
    "dlq purge": ("dlq", "purge", "--yes"),
}


@pytest.fixture
def on_aws(call: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call commands on an AWS in memory, with both queues."""
    monkeypatch.setattr(account, "place_of", PLACE_OF)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        sqs: Any = boto3.client("sqs")
        for name in ("meeting-transcripts-queue", "meeting-transcripts-dlq"):
            sqs.create_queue(QueueName=name)
        yield call


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_on_aws_print_region_and_account(on_aws: Caller, command: str) -> None:
    text = on_aws(*COMMANDS[command])
    document = json.loads(on_aws(*COMMANDS[command], "--json").out)

    assert text.err.splitlines()[0] == "Region eu-central-1, account 123456789012."
    assert "123456789012." not in text.out
    assert {**document, "region": "eu-central-1", "account": "123456789012"} == document


def test_an_account_that_is_not_known_is_no_failure(on_aws: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")

    text = on_aws("dlq", "list")

    assert text.code == 0
    assert text.err.startswith("Region eu-central-1, account not known: asking STS for the owner")


def test_a_misspelt_variable_is_named_at_the_start(on_aws: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCRIBER_WORKER", "2")

    told = on_aws("dlq", "list", "--json")

    assert "unknown variable, it has no effect" in told.err
    assert "TRANSCRIBER_WORKERS" in told.err
