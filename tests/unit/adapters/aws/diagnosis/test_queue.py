"""Diagnosis of the queue, its policy and its key, on moto."""

from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from adapters.aws.diagnosis.queue import Feed
from adapters.aws.policy.evaluation import EVENTBRIDGE
from domain.model.route.route import RouteComponent
from tests.support.aws.routes import RouteOnAws, only_finding

REGION = "eu-central-1"
PATTERN = {"source": ["com.yourapp.transcription"], "detail-type": ["BatchProcessingCompleted"]}

KEY_STATEMENT = Feed("EventBridge", EVENTBRIDGE, str).key_statement


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/x"}}},
    ],
    ids=["principal", "action", "source"],
)
def test_a_queue_policy_that_refuses(route: RouteOnAws, change: dict[str, Any]) -> None:
    route.set_policy({**route.wanted_statement(), **change})

    finding = only_finding(route)

    assert (finding.component, finding.proven) == (RouteComponent.QUEUE_POLICY, True)
    assert finding.problem == "the queue's policy refuses EventBridge"
    assert route.rule()["Arn"] in finding.remedy


def test_a_queue_policy_that_denies(route: RouteOnAws) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    route.set_policy(route.wanted_statement(), deny)

    finding = only_finding(route)

    assert finding.component is RouteComponent.QUEUE_POLICY
    assert '"Effect": "Deny"' in finding.evidence


def test_no_queue_policy(route: RouteOnAws) -> None:
    route.clients.sqs.set_queue_attributes(QueueUrl=route.queue_url, Attributes={"Policy": ""})

    assert only_finding(route).evidence == "there is no policy"


def test_a_queue_policy_that_cannot_be_judged(route: RouteOnAws) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    route.set_policy({**route.wanted_statement(), "Condition": condition})

    assert only_finding(route).proven is False


def _encrypt(route: RouteOnAws, **key: Any) -> str:
    key_id: str = route.clients.kms.create_key(**key)["KeyMetadata"]["KeyId"]
    route.set_attributes(KmsMasterKeyId=key_id)
    return key_id


def _key_policy(*actions: str) -> str:
    statements = [
        f'{{"Effect": "Allow", "Principal": {{"Service": "events.amazonaws.com"}}, "Action": "{action}", '
        '"Resource": "*"}'
        for action in actions
    ]
    return f'{{"Version": "2012-10-17", "Statement": [{", ".join(statements)}]}}'


@pytest.mark.parametrize("key", ["alias/aws/sqs", "arn:aws:kms:eu-central-1:123456789012:alias/aws/sqs"])
def test_the_key_that_belongs_to_sqs(route: RouteOnAws, key: str) -> None:
    route.set_attributes(KmsMasterKeyId=key)

    finding = only_finding(route)

    assert finding[:2] == (RouteComponent.ENCRYPTION, "the queue's key cannot be used by EventBridge")
    assert "alias/aws/sqs" in finding.evidence


def test_a_key_that_aws_manages(route: RouteOnAws) -> None:
    key_id = _encrypt(route, Policy=_key_policy("kms:*"))
    described = route.clients.kms.describe_key(KeyId=key_id)
    described["KeyMetadata"]["KeyManager"] = "AWS"
    with patch.object(route.clients.kms, "describe_key", return_value=described):
        assert "belongs to AWS" in only_finding(route).evidence


def test_a_key_whose_policy_leaves_eventbridge_out(route: RouteOnAws) -> None:
    _encrypt(route)

    findings = route.infrastructure.diagnose()

    assert [finding.component for finding in findings] == [
        RouteComponent.ENCRYPTION,
        RouteComponent.ENCRYPTION,
    ]
    assert "kms:GenerateDataKey" in findings[0].problem
    assert "kms:Decrypt" in findings[1].problem
    assert all(KEY_STATEMENT in finding.remedy for finding in findings)


def test_the_statement_that_is_printed_for_a_key_lets_eventbridge_in(route: RouteOnAws) -> None:
    _encrypt(route, Policy=f'{{"Version": "2012-10-17", "Statement": [{KEY_STATEMENT}]}}')

    assert route.infrastructure.diagnose() == ()


def test_a_key_whose_policy_forgets_one_action(route: RouteOnAws) -> None:
    _encrypt(route, Policy=_key_policy("kms:Decrypt"))

    assert "kms:GenerateDataKey" in only_finding(route).problem


@pytest.mark.parametrize("actions", [("kms:GenerateDataKey*", "kms:Decrypt"), ("kms:*",)])
def test_a_key_that_lets_eventbridge_in_is_sound(route: RouteOnAws, actions: tuple[str, ...]) -> None:
    _encrypt(route, Policy=_key_policy(*actions))

    assert route.infrastructure.diagnose() == ()


def test_a_key_that_does_not_exist(route: RouteOnAws) -> None:
    missing = str(uuid4())
    route.set_attributes(KmsMasterKeyId=missing)

    assert only_finding(route).evidence == f"the queue's key {missing} does not exist"


def test_a_key_that_is_disabled(route: RouteOnAws) -> None:
    key_id = _encrypt(route, Policy=_key_policy("kms:*"))
    route.clients.kms.disable_key(KeyId=key_id)

    assert "is in state Disabled" in only_finding(route).evidence


@pytest.mark.parametrize("operation", ["describe_key", "get_key_policy"])
def test_a_key_that_may_not_be_read_is_said_to_be_unchecked(route: RouteOnAws, operation: str) -> None:
    _encrypt(route)
    denied = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "no kms permission"}}, "GetKeyPolicy"
    )
    with patch.object(route.clients.kms, operation, side_effect=denied):
        finding = only_finding(route)

    assert (finding.component, finding.proven) == (RouteComponent.ENCRYPTION, False)
    assert finding.problem == "the encryption could not be checked"
    assert "no kms permission" in finding.evidence
    assert KEY_STATEMENT in finding.remedy
