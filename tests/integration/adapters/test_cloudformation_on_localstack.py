"""Deployment of the printed CloudFormation template: `transcripts status` finds no drift.

Without the archive: LocalStack's free edition passes over that type of resource in templates.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.integration.conftest import Names
from tests.support.harness.installed_command import transcripts


def test_status_sees_no_drift_in_a_route_that_cloudformation_made(
    aws: Callable[..., Any], localstack: str, names: Names
) -> None:
    environ = {
        "AWS_ENDPOINT_URL": localstack,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "EVENTBRIDGE_BUS_NAME": names.bus,
        "RULE_NAME": names.rule,
        "QUEUE_NAME": names.queue,
        "DLQ_NAME": names.dlq,
    }
    aws("events").create_event_bus(Name=names.bus)
    template = transcripts("provision", "--format", "cloudformation", **environ).stdout
    stacks = aws("cloudformation")
    stacks.create_stack(StackName=names.bus, TemplateBody=template)
    stacks.get_waiter("stack_create_complete").wait(StackName=names.bus, WaiterConfig={"Delay": 1})

    status = transcripts("status", "--json", **environ)

    parts = json.loads(status.stdout)["resources"]
    assert [(part["resource"], part["name"], part["exists"]) for part in parts[:-1]] == [
        ("dead-letter queue", names.dlq, True),
        ("queue", names.queue, True),
        ("rule", names.rule, True),
        ("target", names.queue, True),
    ]
    assert [part["differences"] for part in parts] == [[]] * 5
    assert status.returncode == 0
