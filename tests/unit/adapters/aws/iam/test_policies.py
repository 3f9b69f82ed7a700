"""The policies as texts: golden documents, names of keys and prefixes, and IAM's limits.

That they allow the calls of the commands, and no others, is shown by tests/integration/test_iam_policies.py.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.aws.iam.policies import consumer, eraser, operator, provisioner, publisher
from adapters.aws.iam.resources import PolicyResources, S3Place
from bootstrap.operator.iam import MAX_CHARACTERS
from domain.model.events.kinds import EventKind
from domain.model.route.route import DEFAULT_ROUTES, RouteNames

Policy = Callable[[PolicyResources], Any]

ROLES: tuple[Policy, ...] = (publisher, consumer, operator, provisioner)
GOLDEN = Path(__file__).parent / "golden"
ACCOUNT = "123456789012"

OUR_KEYS, THEIR_KEYS = f"arn:aws:kms:eu-central-1:{ACCOUNT}", "arn:aws:kms:eu-west-1:999999999999"

PLAIN = PolicyResources(RouteNames(), "aws", "eu-central-1", ACCOUNT)
FAILED_NAMES = DEFAULT_ROUTES[EventKind.FAILED]
BOTH = replace(PLAIN, others=(FAILED_NAMES,))
FAILED = replace(PLAIN, names=FAILED_NAMES)
FULL = PolicyResources(
    RouteNames(bus="orders"),
    "aws-cn",
    "cn-north-1",
    ACCOUNT,
    payload_bucket="payloads",
    key="1b2c",
    letters=S3Place("letters", "/dead/"),
)
TOPIC = replace(FULL, names=replace(FULL.names, archive=""), others=(FAILED_NAMES,), has_topic=True)
LONG = PolicyResources(
    RouteNames("b" * 100, "r" * 64, "q" * 80, "d" * 80, "s" * 100, "a" * 48),
    "aws-us-gov",
    "us-gov-west-1",
    ACCOUNT,
    payload_bucket="p" * 63,
    key=f"arn:aws-us-gov:kms:us-gov-west-1:{ACCOUNT}:key/" + "k" * 40,
    letters=S3Place("l" * 63, "x" * 100),
    transcribe_bucket="t" * 63,
    recordings=S3Place("c" * 63, "x" * 100),
    sources=(S3Place("i" * 63, "x" * 100), S3Place("j" * 63)),
)


def statement(role: Policy, resources: PolicyResources, sid: str) -> dict[str, Any]:
    """Return the statement of that name in a role's policy."""
    (found,) = (each for each in role(resources)["Statement"] if each["Sid"] == sid)
    return dict(found)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.__name__)
def test_the_policy_of_each_role_is_its_golden_document(role: Policy) -> None:
    golden = json.loads((GOLDEN / f"{role.__name__}.json").read_text())

    assert role(PLAIN) == golden["plain"]
    assert role(FULL) == golden["full"]


@pytest.mark.parametrize("role", [publisher, operator, provisioner], ids=lambda role: role.__name__)
def test_the_policy_of_each_role_for_a_topic_is_its_golden_document(role: Policy) -> None:
    golden = json.loads((GOLDEN / "topic.json").read_text())

    assert role(TOPIC) == golden[role.__name__]


def test_a_consumer_needs_the_same_whatever_feeds_its_queue() -> None:
    assert consumer(replace(BOTH, has_topic=True)) == consumer(BOTH)


@pytest.mark.parametrize("resources", [PLAIN, BOTH, FAILED, FULL, LONG, TOPIC])
@pytest.mark.parametrize("role", ROLES)
def test_a_policy_is_one_that_iam_takes(role: Policy, resources: PolicyResources) -> None:
    policy = role(resources)

    names = [each["Sid"] for each in policy["Statement"]]
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in names)
    assert len(set(names)) == len(names)
    assert len(json.dumps(policy, separators=(",", ":"))) < MAX_CHARACTERS


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        (f"{THEIR_KEYS}:key/1b2c", f"{THEIR_KEYS}:key/1b2c", None),
        ("alias/ours", f"{OUR_KEYS}:key/*", "alias/ours"),
        (f"{THEIR_KEYS}:alias/ours", f"{THEIR_KEYS}:key/*", "alias/ours"),
    ],
)
def test_an_alias_is_a_condition_on_the_keys_of_its_account(
    key: str, resource: str, alias: str | None
) -> None:
    resources = PolicyResources(RouteNames(), "aws", "eu-central-1", ACCOUNT, key=key)

    use = statement(consumer, resources, "DecryptMessages")

    assert use["Resource"] == [resource]
    assert use["Condition"].get("ForAnyValue:StringEquals") == (alias and {"kms:ResourceAliases": alias})


@pytest.mark.parametrize(
    ("prefix", "objects", "condition"),
    [
        ("", "letters/*", None),
        ("a*b?$", "letters/a${*}b${?}${$}/*", {"StringEquals": {"s3:prefix": "a${*}b${?}${$}/"}}),
    ],
)
def test_dead_letters_are_archived_below_their_prefix_and_nowhere_else(
    prefix: str, objects: str, condition: dict[str, Any] | None
) -> None:
    letters = S3Place("letters", prefix)
    resources = PolicyResources(RouteNames(), "aws", "eu-central-1", ACCOUNT, letters=letters)

    assert statement(operator, resources, "ArchiveDeadLetters")["Resource"] == [f"arn:aws:s3:::{objects}"]
    assert statement(operator, resources, "ListArchivedDeadLetters").get("Condition") == condition


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_may_use_both_routes_may_do_the_same_on_each(role: Policy) -> None:
    both, completed, failed = (resources_of(role(each)) for each in (BOTH, PLAIN, FAILED))

    assert both == completed | failed
    assert not any(":archive/" in arn or "replay" in arn for _, arn in failed)


def test_events_of_both_types_may_be_published_but_no_others() -> None:
    condition = statement(publisher, BOTH, "PublishEvents")["Condition"]["ForAllValues:StringEquals"]

    assert condition["events:detail-type"] == ["BatchProcessingCompleted", "BatchProcessingFailed"]


def test_a_third_kind_is_a_word_of_the_publisher_and_a_statement_of_the_provisioner() -> None:
    on = replace(BOTH, others=(*BOTH.others, DEFAULT_ROUTES[EventKind.ERASED]))
    condition = statement(publisher, on, "PublishEvents")["Condition"]["ForAllValues:StringEquals"]

    assert condition["events:detail-type"][-1] == "TranscriptErased"
    assert statement(provisioner, on, "SendToTheQueueOfErasedEvents")


def test_each_rule_may_send_to_its_own_queue_alone() -> None:
    target = statement(provisioner, BOTH, "SendToTheQueueOfFailedEvents")

    assert [arn.rpartition(":")[2] for arn in target["Resource"]] == ["rule/capture-failures-rule"]
    queue = target["Condition"]["ForAllValues:ArnEquals"]["events:TargetArn"]
    assert queue.endswith(":meeting-failures-queue")


def resources_of(policy: Any) -> set[tuple[str, str]]:
    """Return every action with every resource that it is allowed on."""
    return {
        (action, arn) for each in policy["Statement"] for action in each["Action"] for arn in each["Resource"]
    }


def test_recordings_are_kept_below_their_prefix_and_fetched_from_listed_places() -> None:
    resources = PolicyResources(
        RouteNames(),
        "aws",
        "eu-central-1",
        ACCOUNT,
        recordings=S3Place("calls", "jobs/"),
        sources=(S3Place("shared", "incoming"), S3Place("acme")),
    )

    assert statement(publisher, resources, "KeepRecordings") == {
        "Sid": "KeepRecordings",
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
        "Resource": ["arn:aws:s3:::calls/jobs/*"],
    }
    assert statement(publisher, resources, "ListRecordings")["Resource"] == ["arn:aws:s3:::calls"]
    assert statement(publisher, resources, "FetchRecordings")["Resource"] == [
        "arn:aws:s3:::shared/incoming/*",
        "arn:aws:s3:::acme/*",
    ]
    assert statement(operator, resources, "ProbeTheStoreOfRecordings")["Resource"] == [
        "arn:aws:s3:::calls/jobs/doctor-*"
    ]


def test_the_eraser_may_delete_every_version_in_both_stores_and_nothing_else() -> None:
    resources = replace(FULL, recordings=S3Place("calls", "team"))
    objects = ["arn:aws-cn:s3:::payloads/transcripts/*", "arn:aws-cn:s3:::calls/team/*"]

    assert eraser(resources)["Statement"] == [
        {
            "Sid": "EraseObjects",
            "Effect": "Allow",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            "Resource": objects,
        },
        {
            "Sid": "ListTheirVersions",
            "Effect": "Allow",
            "Action": ["s3:ListBucketVersions"],
            "Resource": ["arn:aws-cn:s3:::payloads", "arn:aws-cn:s3:::calls"],
        },
    ]


@pytest.mark.parametrize("role", ROLES)
def test_no_other_role_may_delete_versions(role: Policy) -> None:
    actions = {action for action, _ in resources_of(role(LONG))}

    assert not actions & {"s3:DeleteObjectVersion", "s3:ListBucketVersions"}
