"""Commands of the route as an operator runs them: provision, status, repair, replay, teardown."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.conftest import Names
from tests.support.harness.installed_command import transcripts


@pytest.fixture
def run(
    localstack: str, aws: Callable[..., Any], names: Names
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    aws("events").create_event_bus(Name=names.bus)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return transcripts(
            *arguments,
            AWS_ENDPOINT_URL=localstack,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
            QUEUE_NAME=names.queue,
            DLQ_NAME=names.dlq,
            RULE_NAME=names.rule,
            EVENTBRIDGE_BUS_NAME=names.bus,
            ARCHIVE_NAME=f"archive-of-{names.bus}",
        )

    return run


def test_an_operator_finds_drift_mends_it_replays_and_removes_everything(
    run: Callable[..., "subprocess.CompletedProcess[str]"], aws: Callable[..., Any], names: Names
) -> None:
    planned = json.loads(run("provision", "--dry-run", "--archive", "1", "--json").stdout)
    assert [change["action"] for change in planned["changes"]] == ["create"] * 5
    assert run("provision", "--archive", "1").returncode == 0

    aws("events").disable_rule(Name=names.rule, EventBusName=names.bus)
    status = run("status")
    assert status.returncode == 1
    assert "differs in State\n    wanted: ENABLED\n    found:  DISABLED" in status.stdout
    repaired = run("provision", "--repair", "--yes", "--archive", "1")
    assert repaired.returncode == 0, repaired.stderr
    assert "rule               mended" in repaired.stdout
    assert run("verify").returncode == 0

    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    name = json.loads(run("replay", "--from", hour_ago, "--no-wait", "--json").stdout)["name"]
    assert name in run("replay", "show", name).stdout

    queue = aws("sqs").get_queue_url(QueueName=names.queue)["QueueUrl"]
    aws("sqs").send_message(QueueUrl=queue, MessageBody="an event")
    refused = run("teardown", "--yes")
    assert (refused.returncode, "1 waiting" in refused.stderr) == (1, True)
    removed = json.loads(run("teardown", "--yes", "--force", "--archive", "--json").stdout)
    assert [part["status"] for part in removed["resources"]] == ["removed"] * 5 + ["left"]
