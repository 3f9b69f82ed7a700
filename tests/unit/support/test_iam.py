"""The policy check of the integration tests: it must notice a policy that is too narrow or too wide."""

from typing import Any

import pytest

from tests.support.aws.calls import Call, calls_of, with_the_key
from tests.support.aws.iam import allows, unused

QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
SEND = Call("sqs:SendMessage", QUEUE)
ALL_VALUES: dict[str, Any] = {"ForAllValues:StringEquals": {"k": "a"}}


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
        policy(**ALL_VALUES),
    ],
)
def test_any_other_call_is_refused_and_the_statement_reported_as_unused(narrow: dict[str, Any]) -> None:
    assert not allows(narrow, SEND)
    assert unused(narrow, [SEND]) == [
        ("It", *narrow["Statement"][0]["Action"], *narrow["Statement"][0]["Resource"])
    ]


@pytest.mark.parametrize(("values", "allowed"), [(("a",), True), (("a", "b"), False)])
def test_every_value_of_a_condition_key_has_to_match(values: tuple[str, ...], *, allowed: bool) -> None:
    call = Call(*SEND[:2], context=(("k", values),))

    assert allows(policy(**ALL_VALUES), call) is allowed


def test_a_sender_to_an_encrypted_queue_uses_its_key() -> None:
    used = with_the_key([SEND], "1b2c") - {SEND}

    assert {call.action for call in used} == {"kms:GenerateDataKey", "kms:Decrypt"}
    assert {call.resource for call in used} == {"arn:aws:kms:us-east-1:000000000000:key/1b2c"}


def test_an_operation_without_a_known_action_is_an_error() -> None:
    with pytest.raises(KeyError):
        list(calls_of("sqs:AddPermission", {}))
