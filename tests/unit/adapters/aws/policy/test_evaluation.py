"""Evaluation of policies for EventBridge, in all spellings of a statement."""

import json
from typing import Any

import pytest

from adapters.aws.policy.evaluation import Decision, ServiceRequest, canonical, evaluate, statements

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:orders"
RULE = "arn:aws:events:eu-central-1:123456789012:rule/capture"
CALL = ServiceRequest("sqs:SendMessage", QUEUE, RULE)
ALLOW: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
    "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
}
DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}


def _answer(*listed: dict[str, Any]) -> Decision:
    return evaluate(json.dumps({"Version": "2012-10-17", "Statement": list(listed)}), CALL).decision


def test_the_wanted_statement_lets_eventbridge_in() -> None:
    assert _answer(ALLOW) is Decision.ALLOWED


@pytest.mark.parametrize(
    "change",
    [
        {"Action": ["sqs:ReceiveMessage", "SQS:sendmessage"]},
        {"Action": "sqs:Send*"},
        {"Action": "*"},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}},
        {"Resource": "*"},
        {"Resource": [QUEUE]},
        {"Condition": {}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/cap*"}}},
        {"Condition": {"ArnEquals": {"AWS:SourceArn": ["arn:other", RULE]}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
        {"Condition": {"StringLike": {"aws:SourceArn": "*rule/capture"}}},
        {"Condition": {"StringEqualsIgnoreCase": {"aws:SourceArn": RULE.upper()}}},
        {"Condition": {"Bool": {"aws:SecureTransport": True}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
    ],
    ids=str,
)
def test_other_spellings_let_eventbridge_in_too(change: dict[str, Any]) -> None:
    assert _answer({**ALLOW, **change}) is Decision.ALLOWED


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "sqs:ReceiveMessage"},
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {}},
        {"Resource": QUEUE + "-other"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "-other"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"ArnNotEquals": {"aws:SourceArn": RULE}}},
    ],
    ids=str,
)
def test_statements_about_something_else_leave_eventbridge_out(change: dict[str, Any]) -> None:
    assert _answer({**ALLOW, **change}) is Decision.DENIED


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}},
        {"Condition": {"StringEquals": {"aws:RequestTag/team": "a"}}},
        {"Condition": {"ForAnyValue:StringEquals": {"aws:SourceAccount": "123456789012"}}},
    ],
    ids=str,
)
def test_a_condition_that_cannot_be_known_is_unknown_and_not_guessed(change: dict[str, Any]) -> None:
    assert _answer({**ALLOW, **change}) is Decision.UNKNOWN


def test_a_deny_wins_in_any_order() -> None:
    assert _answer(ALLOW, DENY) is Decision.DENIED
    assert _answer(DENY, ALLOW) is Decision.DENIED


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:user/u"}},
        {"Action": "sqs:DeleteQueue"},
        {"Action": "x", "Principal": {"Service": "sns.amazonaws.com"}},
    ],
    ids=str,
)
def test_a_deny_for_others_does_no_harm(change: dict[str, Any]) -> None:
    assert _answer(ALLOW, {**DENY, **change}) is Decision.ALLOWED


def test_a_deny_for_everything_from_outside_a_network_catches_eventbridge() -> None:
    outside = {**DENY, "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}

    assert _answer(ALLOW, outside) is Decision.DENIED


def test_a_deny_of_all_other_actions_leaves_sending_allowed() -> None:
    others = {key: value for key, value in DENY.items() if key != "Action"}

    assert _answer(ALLOW, {**others, "NotAction": "sqs:SendMessage"}) is Decision.ALLOWED
    assert _answer(ALLOW, {**others, "NotAction": "sqs:ReceiveMessage"}) is Decision.DENIED


def test_a_deny_that_may_match_is_unknown() -> None:
    others = {key: value for key, value in DENY.items() if key != "Principal"}

    assert _answer(ALLOW, {**others, "NotPrincipal": {"AWS": "x"}}) is Decision.UNKNOWN


def test_a_single_statement_needs_no_list() -> None:
    assert evaluate(json.dumps({"Statement": ALLOW}), CALL).decision is Decision.ALLOWED


@pytest.mark.parametrize("policy", [None, "", "not json", "[]", '{"Statement": [7]}'])
def test_no_readable_policy_refuses(policy: str | None) -> None:
    assert evaluate(policy, CALL).decision is Decision.DENIED


def test_the_verdict_names_the_statement_that_decides() -> None:
    evaluation = evaluate(json.dumps({"Statement": [ALLOW, DENY]}), CALL)

    assert json.loads(evaluation.evidence)["Effect"] == "Deny"


def test_the_verdict_says_what_nobody_allows() -> None:
    assert evaluate('{"Statement": []}', CALL).evidence == (
        f"no statement allows sqs:SendMessage to events.amazonaws.com for {RULE}"
    )


def test_spellings_that_mean_the_same_are_the_same() -> None:
    other = {
        "Sid": "named",
        "Resource": [QUEUE],
        "Action": ["SQS:SendMessage"],
        "Principal": {"Service": ["events.amazonaws.com"]},
        "Condition": {"ArnLike": {"AWS:SourceArn": [RULE]}},
        "Effect": "Allow",
    }

    assert canonical(other) == canonical(ALLOW)
    assert canonical({"source": ["b", "a"]}) == canonical({"source": ["a", "b"]})


def test_statements_that_mean_something_else_are_different() -> None:
    assert canonical({**ALLOW, "Resource": QUEUE.upper()}) != canonical(ALLOW)
    assert len(statements(json.dumps({"Statement": [ALLOW, DENY]}))) == 2
