"""Evaluation of our IAM policies, for the language elements that they use."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.support.aws.calls import Call

Statement = Mapping[str, Any]


def allows(policy: Mapping[str, Any], call: Call) -> bool:
    """Return True where a statement allows the call; our policies deny nothing."""
    return any(_speaks_of(statement, call) for statement in policy["Statement"])


def unused(policy: Mapping[str, Any], calls: Iterable[Call]) -> list[tuple[str, str, str]]:
    """List each allowed action and resource that no call needs, with its statement."""
    made = tuple(calls)
    return [
        (grant["Sid"], grant["Action"][0], grant["Resource"][0])
        for grant in _grants(policy)
        if not any(_speaks_of(grant, call) for call in made)
    ]


def _grants(policy: Mapping[str, Any]) -> Iterator[Statement]:
    """Split the statements into one action on one resource each."""
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            for pattern in statement["Resource"]:
                yield {**statement, "Action": [action], "Resource": [pattern]}


def _speaks_of(statement: Statement, call: Call) -> bool:
    return (
        statement["Effect"] == "Allow"
        and call.action in statement["Action"]
        and any(_matches(pattern, call.resource) for pattern in statement["Resource"])
        and all(_holds(*condition, dict(call.context)) for condition in _conditions(statement))
    )


def _conditions(statement: Statement) -> Iterator[tuple[str, str, str | list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, value in keys.items():
            yield operator, key, value


def _holds(operator: str, key: str, wanted: str | list[str], context: Mapping[str, tuple[str, ...]]) -> bool:
    """Apply a condition; a missing key fails, even where IAM would accept it (`ForAllValues`)."""
    kind, _, comparison = operator.rpartition(":")
    assert comparison in ("StringEquals", "StringLike", "ArnEquals"), operator
    same = _matches if comparison == "StringLike" else _equals
    allowed = [wanted] if isinstance(wanted, str) else wanted
    answers = [any(same(each, value) for each in allowed) for value in context.get(key, ())]
    return any(answers) if kind == "ForAnyValue" else bool(answers) and all(answers)


def _equals(wanted: str, text: str) -> bool:
    return re.sub(r"\$\{([$*?])\}", r"\1", wanted) == text


def _matches(pattern: str, text: str) -> bool:
    """Match IAM's wildcards `*` and `?`; `${*}`, `${?}` and `${$}` are the characters themselves."""
    parts = re.findall(r"\$\{[$*?]\}|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(part) or re.escape(part[2:-1] if len(part) > 1 else part) for part in parts)
    return re.fullmatch(expression, text, re.DOTALL) is not None
