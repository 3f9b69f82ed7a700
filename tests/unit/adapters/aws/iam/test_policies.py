"""The policies as texts: real ARNs, readable, nothing too wide, and within IAM's limits.

That they allow what is called, and nothing else, is shown by tests/integration/test_iam_policies.py.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from adapters.aws.iam.policies import consumer, operator, provisioner, publisher
from adapters.aws.iam.resources import PolicyResources, S3Place
from bootstrap.operator.iam import MAX_CHARACTERS
from domain.model.route.route import RouteNames

Policy = Callable[[PolicyResources], Any]

ROLES: tuple[Policy, ...] = (publisher, consumer, operator, provisioner)
UNCONFINED = {"events:TestEventPattern", "events:ListRules", "cloudwatch:GetMetricData"}
"""What the Service Authorization Reference gives no resource type for."""

OUR_KEYS, THEIR_KEYS = "arn:aws:kms:eu-central-1:123456789012", "arn:aws:kms:eu-west-1:999999999999"

PLAIN = PolicyResources(RouteNames(), "aws", "eu-central-1", "123456789012")
FULL = PolicyResources(
    RouteNames(bus="orders"),
    "aws-cn",
    "cn-north-1",
    "123456789012",
    payload_bucket="payloads",
    key="1b2c",
    letters=S3Place("letters", "/dead/"),
)
LONG = PolicyResources(
    RouteNames("b" * 100, "r" * 64, "q" * 80, "d" * 80, "s" * 100, "a" * 48),
    "aws-us-gov",
    "us-gov-west-1",
    "123456789012",
    payload_bucket="p" * 63,
    key="arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/" + "k" * 40,
    letters=S3Place("l" * 63, "x" * 100),
)


def statements(role: Policy, resources: PolicyResources) -> list[dict[str, Any]]:
    """What a role's policy says."""
    found: list[dict[str, Any]] = role(resources)["Statement"]
    return found


def granted(policy: dict[str, Any]) -> dict[str, set[str]]:
    """The resources of each action."""
    grants: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            grants.setdefault(action, set()).update(statement["Resource"])
    return grants


@pytest.mark.parametrize("resources", [PLAIN, FULL, LONG])
@pytest.mark.parametrize("role", ROLES)
def test_a_policy_is_one_that_iam_takes(role: Policy, resources: PolicyResources) -> None:
    policy = role(resources)

    names = [statement["Sid"] for statement in policy["Statement"]]
    assert policy["Version"] == "2012-10-17"
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in names)
    assert len(set(names)) == len(names)
    assert len(json.dumps(policy, separators=(",", ":"))) < MAX_CHARACTERS


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_allowed_on_everything_that_can_be_confined(role: Policy) -> None:
    for resources in (PLAIN, FULL):
        grants = granted(role(resources))
        assert {action for action, found in grants.items() if "*" in found} <= UNCONFINED
        assert not any("*" in action for action in grants)


def test_a_publisher_may_publish_our_events_and_no_others() -> None:
    publishing = statements(publisher, PLAIN)[0]

    assert publishing == {
        "Sid": "PublishEvents",
        "Effect": "Allow",
        "Action": ["events:PutEvents"],
        "Resource": ["arn:aws:events:eu-central-1:123456789012:event-bus/default"],
        "Condition": {
            "ForAllValues:StringEquals": {
                "events:source": "com.yourapp.transcription",
                "events:detail-type": "BatchProcessingCompleted",
            }
        },
    }


def test_without_its_guard_a_publisher_may_do_nothing_else() -> None:
    rest = [
        statement
        for statement in statements(publisher, FULL)
        if not statement["Sid"].startswith("RouteGuard")
    ]

    assert granted({"Statement": rest}) == {
        "events:PutEvents": {"arn:aws-cn:events:cn-north-1:123456789012:event-bus/orders"},
        "s3:PutObject": {"arn:aws-cn:s3:::payloads/transcripts/*"},
    }


def test_a_consumer_may_receive_and_delete_and_read_what_events_refer_to() -> None:
    queue = "arn:aws-cn:sqs:cn-north-1:123456789012:meeting-transcripts-queue"

    assert granted(consumer(FULL)) == {
        "sqs:GetQueueUrl": {queue},
        "sqs:GetQueueAttributes": {queue},
        "sqs:ReceiveMessage": {queue},
        "sqs:ChangeMessageVisibility": {queue},
        "sqs:DeleteMessage": {queue},
        "s3:GetObject": {"arn:aws-cn:s3:::payloads/transcripts/*"},
        "kms:Decrypt": {"arn:aws-cn:kms:cn-north-1:123456789012:key/1b2c"},
    }


def test_where_there_is_neither_bucket_nor_key_nor_archive_nothing_is_said_of_them() -> None:
    for role in ROLES:
        assert {action.partition(":")[0] for action in granted(role(PLAIN))} <= {
            "events",
            "sqs",
            "cloudwatch",
        }


@pytest.mark.parametrize(("bus", "path"), [("default", ""), ("orders", "orders/")])
def test_rules_are_named_as_their_bus_wants_it(bus: str, path: str) -> None:
    resources = PolicyResources(RouteNames(bus=bus), "aws", "eu-central-1", "123456789012")
    rules = "arn:aws:events:eu-central-1:123456789012:rule/" + path

    assert granted(provisioner(resources))["events:PutRule"] == {f"{rules}capture-transcripts-rule"}
    assert granted(operator(resources))["events:PutRule"] == {f"{rules}capture-transcripts-rule-replay-*"}


def test_a_replay_is_begun_on_an_archive_for_a_bus_under_a_name() -> None:
    place = "arn:aws:events:eu-central-1:123456789012:"

    assert granted(operator(PLAIN))["events:StartReplay"] == {
        f"{place}archive/meeting-transcripts-archive",
        f"{place}event-bus/default",
        f"{place}replay/capture-transcripts-rule-replay-*",
    }


@pytest.mark.parametrize("role", [operator, provisioner])
def test_whoever_adds_targets_can_lead_events_into_our_queue_alone(role: Policy) -> None:
    (adding,) = (each for each in statements(role, PLAIN) if "events:PutTargets" in each["Action"])

    wanted = "arn:aws:sqs:eu-central-1:123456789012:meeting-transcripts-queue"
    assert adding["Condition"] == {"ForAllValues:ArnEquals": {"events:TargetArn": wanted}}


@pytest.mark.parametrize(
    ("key", "resource", "condition"),
    [
        ("1b2c", f"{OUR_KEYS}:key/1b2c", None),
        (f"{THEIR_KEYS}:key/1b2c", f"{THEIR_KEYS}:key/1b2c", None),
        ("alias/ours", f"{OUR_KEYS}:key/*", "alias/ours"),
        (f"{THEIR_KEYS}:alias/ours", f"{THEIR_KEYS}:key/*", "alias/ours"),
    ],
)  # fmt: skip
def test_a_key_is_named_by_its_arn_and_one_behind_an_alias_by_a_condition(
    key: str, resource: str, condition: str | None
) -> None:
    resources = PolicyResources(RouteNames(), "aws", "eu-central-1", "123456789012", key=key)

    (use,) = (each for each in statements(consumer, resources) if each["Sid"] == "DecryptMessages")

    aliases = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": condition}} if condition else {}
    assert use["Resource"] == [resource]
    assert use["Condition"] == {
        "StringLike": {"kms:ViaService": "sqs.eu-central-1.amazonaws.com*"},
        **aliases,
    }


@pytest.mark.parametrize(
    ("prefix", "objects", "condition"),
    [
        ("", "letters/*", {}),
        ("/dead/2026/", "letters/dead/2026/*", {"StringEquals": {"s3:prefix": "dead/2026/"}}),
        ("a*b?$", "letters/a${*}b${?}${$}/*", {"StringEquals": {"s3:prefix": "a${*}b${?}${$}/"}}),
    ],
)
def test_dead_letters_are_archived_below_their_prefix_and_nowhere_else(
    prefix: str, objects: str, condition: dict[str, Any]
) -> None:
    letters = S3Place("letters", prefix)
    resources = PolicyResources(RouteNames(), "aws", "eu-central-1", "123456789012", letters=letters)

    grants = granted(operator(resources))
    assert grants["s3:PutObject"] == grants["s3:GetObject"] == {f"arn:aws:s3:::{objects}"}
    (listing,) = (each for each in statements(operator, resources) if "s3:ListBucket" in each["Action"])
    assert (listing["Resource"], listing.get("Condition", {})) == (["arn:aws:s3:::letters"], condition)
