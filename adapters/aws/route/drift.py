"""Drift of an existing resource from the route's definition, attribute by attribute."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from adapters.aws.policy.evaluation import canonical
from adapters.aws.policy.statements import NOTHING
from adapters.aws.route.definition import CHANGES_TO_EVENTS
from domain.model.route.route import DELIVERY_ATTEMPTS, DELIVERY_SECONDS, Drift

if TYPE_CHECKING:
    from types_boto3_events.type_defs import (
        DescribeArchiveResponseTypeDef,
        DescribeRuleResponseTypeDef,
        TargetOutputTypeDef,
        TargetTypeDef,
    )

    from adapters.aws.route.queue_pair import QueueAttributes

BROKEN_ARCHIVE_STATES = ("DISABLED", "CREATE_FAILED", "UPDATE_FAILED")


def queue_differences(wanted: "QueueAttributes", found: Mapping[str, str]) -> Iterator[Drift]:
    """Compare all attributes but `Policy`, which may hold statements of others, too."""
    for name, value in wanted.items():
        if name == "RedrivePolicy":
            yield from _redrive_differences(json.loads(value), found.get(name))
        elif name in ("SqsManagedSseEnabled", "KmsMasterKeyId"):
            yield from _encryption_differences(wanted, found)
        elif name != "Policy" and found.get(name) != value:
            yield Drift(name, value, found.get(name, NOTHING))


def rule_differences(pattern: str, found: "DescribeRuleResponseTypeDef") -> Iterator[Drift]:
    """Compare the pattern, by meaning, and the state."""
    yield from _pattern_differences(pattern, found.get("EventPattern", "null"))
    if found["State"] != "ENABLED":
        yield Drift("State", "ENABLED", found["State"])


def target_differences(wanted: "TargetTypeDef", found: "TargetOutputTypeDef") -> Iterator[Drift]:
    """Compare destination, input transformation, dead-letter queue and retry limits of the target.

    A missing retry policy is no difference: EventBridge's defaults are the limits wanted here.
    """
    if found["Arn"] != wanted["Arn"]:
        yield Drift("Arn", wanted["Arn"], found["Arn"])
    for name in CHANGES_TO_EVENTS:
        if found.get(name):
            yield Drift(name, NOTHING, json.dumps(found.get(name)))
    dead_letters = wanted["DeadLetterConfig"].get("Arn", NOTHING)
    found_dead_letters = found.get("DeadLetterConfig", {}).get("Arn", NOTHING)
    if found_dead_letters != dead_letters:
        yield Drift("DeadLetterConfig.Arn", dead_letters, found_dead_letters)
    retries = found.get("RetryPolicy", {})
    for name, limit, actual in (
        ("MaximumEventAgeInSeconds", DELIVERY_SECONDS, retries.get("MaximumEventAgeInSeconds")),
        ("MaximumRetryAttempts", DELIVERY_ATTEMPTS, retries.get("MaximumRetryAttempts")),
    ):
        if actual not in (None, limit):
            yield Drift(f"RetryPolicy.{name}", str(limit), str(actual))


def archive_differences(
    pattern: str, days: int | None, bus_arn: str, found: "DescribeArchiveResponseTypeDef"
) -> Iterator[Drift]:
    """Compare bus, pattern, state and, where one is configured, retention of the archive."""
    if found["EventSourceArn"] != bus_arn:
        yield Drift("EventSourceArn", bus_arn, found["EventSourceArn"])
    yield from _pattern_differences(pattern, found.get("EventPattern", "null"))
    if days is not None and found.get("RetentionDays", 0) != days:
        yield Drift("RetentionDays", str(days), str(found.get("RetentionDays", 0)))
    if found["State"] in BROKEN_ARCHIVE_STATES:
        yield Drift("State", "ENABLED", found["State"])


def _pattern_differences(wanted: str, found: str) -> Iterator[Drift]:
    if canonical(json.loads(found)) != canonical(json.loads(wanted)):
        yield Drift("EventPattern", wanted, found)


def _redrive_differences(wanted: Mapping[str, object], found: str | None) -> Iterator[Drift]:
    """Compare as text: SQS returns numbers as numbers or as strings, as they were set."""
    found_policy = json.loads(found) if found else {}
    for name, value in wanted.items():
        if str(found_policy.get(name)) != str(value):
            yield Drift(f"RedrivePolicy.{name}", str(value), str(found_policy.get(name, NOTHING)))


def _encryption_differences(wanted: "QueueAttributes", found: Mapping[str, str]) -> Iterator[Drift]:
    """Compare the encryption; an additional key is no difference: encryption is never weakened."""
    key, found_key = wanted.get("KmsMasterKeyId"), found.get("KmsMasterKeyId") or None
    if key is not None and (found_key is None or key_name(found_key) != key_name(key)):
        yield Drift("KmsMasterKeyId", key, found_key or NOTHING)
    if key is None and found_key is None and found.get("SqsManagedSseEnabled") != "true":
        yield Drift("SqsManagedSseEnabled", "true", found.get("SqsManagedSseEnabled", NOTHING))


def key_name(key: str) -> str:
    """Return a key's id or alias, given as such or as an ARN."""
    return key.rpartition(":")[2].removeprefix("key/")
