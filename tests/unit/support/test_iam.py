"""The measure itself: a policy that is too narrow or too wide must be seen."""

from typing import Any

import pytest

from tests.support.aws.calls import Call, calls_of, with_the_key
from tests.support.aws.iam import allows, unused

QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
SEND = Call("sqs:SendMessage", QUEUE)


def policy(action: str = "sqs:SendMessage", resource: str = QUEUE, **condition: Any) -> dict[str, Any]:
    statement = {"Sid": "It", "Effect": "Allow", "Action": [action], "Resource": [resource]}
    return {"Statement": [{**statement, "Condition": condition}]}


@pytest.mark.parametrize("resource", [QUEUE, QUEUE[:-2] + "*", QUEUE[:-1] + "?", "*"])
def test_a_call_is_allowed_where_action_and_resource_match(resource: str) -> None:
    assert allows(policy(resource=resource), SEND)
    assert unused(policy(resource=resource), [SEND]) == []


@pytest.mark.parametrize(
    "narrow",
    [
        policy("sqs:ReceiveMessage"),
        policy(resource=f"{QUEUE}-dlq"),
        policy(resource=QUEUE[:-1] + "${*}"),
        policy(StringEquals={"aws:PrincipalTag/team": "ours"}),
    ],
)
def test_anything_else_is_refused_and_nobody_needs_it(narrow: dict[str, Any]) -> None:
    assert not allows(narrow, SEND)
    assert len(unused(narrow, [SEND])) == 1


def test_an_escaped_star_is_a_star() -> None:
    assert allows(policy(resource="arn:aws:s3:::b/${*}/*"), Call("sqs:SendMessage", "arn:aws:s3:::b/*/key"))
    assert not allows(
        policy(resource="arn:aws:s3:::b/${*}/*"), Call("sqs:SendMessage", "arn:aws:s3:::b/x/key")
    )


@pytest.mark.parametrize(("values", "allowed"), [(("a",), True), (("a", "b"), False), ((), False)])
def test_every_value_of_a_condition_key_has_to_match(values: tuple[str, ...], *, allowed: bool) -> None:
    call = Call(*SEND[:2], context=(("k", values),))

    condition: dict[str, Any] = {"ForAllValues:StringEquals": {"k": "a"}}

    assert allows(policy(**condition), call) is allowed


def test_each_action_on_each_resource_that_nobody_needs_is_named() -> None:
    wide = {
        "Statement": [
            {"Sid": "It", "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:DeleteQueue"],
             "Resource": [QUEUE, f"{QUEUE}-dlq"]}
        ]
    }  # fmt: skip

    assert unused(wide, [SEND]) == [
        ("It", "sqs:SendMessage", f"{QUEUE}-dlq"),
        ("It", "sqs:DeleteQueue", QUEUE),
        ("It", "sqs:DeleteQueue", f"{QUEUE}-dlq"),
    ]


def test_a_move_task_needs_what_sqs_does_for_it() -> None:
    calls = calls_of("sqs:StartMessageMoveTask", {"SourceArn": f"{QUEUE}-dlq", "DestinationArn": QUEUE})

    assert {(call.action, call.resource) for call in calls} == {
        ("sqs:StartMessageMoveTask", f"{QUEUE}-dlq"),
        ("sqs:ReceiveMessage", f"{QUEUE}-dlq"),
        ("sqs:DeleteMessage", f"{QUEUE}-dlq"),
        ("sqs:GetQueueAttributes", f"{QUEUE}-dlq"),
        ("sqs:SendMessage", QUEUE),
    }


def test_whoever_sends_to_an_encrypted_queue_uses_its_key() -> None:
    used = with_the_key([SEND], "1b2c") - {SEND}

    assert {call.action for call in used} == {"kms:GenerateDataKey", "kms:Decrypt"}
    assert {call.resource for call in used} == {"arn:aws:kms:us-east-1:000000000000:key/1b2c"}


def test_an_operation_whose_action_nobody_looked_up_is_an_error() -> None:
    with pytest.raises(KeyError):
        list(calls_of("sqs:AddPermission", {}))
