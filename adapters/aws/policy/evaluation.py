"""Evaluation of a resource's policy for a request of EventBridge or SNS.

Follows "Policy evaluation logic" of the IAM user guide for a request that a service makes by itself: the
default is an implicit deny, and an explicit deny overrides any allow. Where a statement depends on a value
that is not known here, the decision is "unknown", never a guess.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

EVENTBRIDGE = "events.amazonaws.com"
SNS = "sns.amazonaws.com"

Json = Mapping[str, object]

ABSENT_CONTEXT_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
    }
)
"""Condition keys that are missing from the context of a request by an AWS service."""


class Decision(StrEnum):
    """Result of evaluating a policy for a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Evaluation(NamedTuple):
    """A decision, with the statement that decides, or the reason why none does."""

    decision: Decision
    evidence: str


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request that a service makes on behalf of one of its resources: a rule, or a topic."""

    action: str
    resource: str
    source_arn: str
    service: str = EVENTBRIDGE

    @property
    def context(self) -> Mapping[str, str]:
        """The request context: the condition keys that are known, in lower case."""
        return {
            "aws:sourcearn": self.source_arn,
            "aws:sourceaccount": self.source_arn.split(":")[4],
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": self.service,
        }


def evaluate(policy: str | None, request: ServiceRequest) -> Evaluation:
    """Evaluate the policy for the request."""
    if not policy:
        return Evaluation(Decision.DENIED, "there is no policy")
    matches = [(statement, _statement_matches(statement, request)) for statement in statements(policy)]
    for effect, matched, decision in (
        ("Deny", True, Decision.DENIED),
        ("Deny", None, Decision.UNKNOWN),
        ("Allow", True, Decision.ALLOWED),
        ("Allow", None, Decision.UNKNOWN),
    ):
        for statement, match in matches:
            if statement.get("Effect") == effect and match is matched:
                return Evaluation(decision, canonical(statement))
    return Evaluation(
        Decision.DENIED,
        f"no statement allows {request.action} to {request.service} for {request.source_arn}",
    )


def statements(policy: str) -> tuple[Json, ...]:
    """Return the statements of a policy, which holds one or a list; none where it is unreadable."""
    try:
        document = json.loads(policy)
    except ValueError:
        return ()
    found = document.get("Statement", ()) if isinstance(document, dict) else ()
    return tuple(statement for statement in _as_list(found) if isinstance(statement, dict))


def canonical(value: object) -> str:
    """Serialize a statement or pattern so that equivalent ones become equal.

    Order, `"x"` or `["x"]`, the case of actions and condition keys, `ArnLike` or `ArnEquals`, and `Sid` make
    no difference.
    """
    return json.dumps(_normalized(value), sort_keys=True)


def _normalized(value: object, key: str = "") -> object:
    if isinstance(value, dict):
        return {
            _normalized_name(name): _normalized(item, name) for name, item in value.items() if name != "Sid"
        }
    if isinstance(value, list):
        items = sorted(
            (_normalized(item, key) for item in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
        return items[0] if len(items) == 1 else items
    return value.lower() if key in ("Action", "NotAction") and isinstance(value, str) else value


def _normalized_name(name: str) -> str:
    return name.lower() if ":" in name else name.replace("ArnLike", "ArnEquals")


def _statement_matches(statement: Json, request: ServiceRequest) -> bool | None:
    """Return True where all elements of the statement match; None where that cannot be known."""
    return _all(
        (
            _principal_matches(statement, request.service),
            _element_matches(statement, "Action", request.action.lower()),
            _element_matches(statement, "Resource", request.resource),
            *_condition_results(statement, request.context),
        )
    )


def _all(results: Iterable[bool | None]) -> bool | None:
    results = tuple(results)
    if False in results:
        return False
    return None if None in results else True


def _principal_matches(statement: Json, service: str) -> bool | None:
    if "NotPrincipal" in statement:
        return None
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        everyone = "*" in _as_list(principal.get("AWS", ()))
        return everyone or any(name in (service, "*") for name in _as_list(principal.get("Service", ())))
    return principal == "*"


def _element_matches(statement: Json, key: str, name: str) -> bool:
    """Match `Action` or `Resource`, or the negated element: no statement has both."""
    lower = key == "Action"
    if f"Not{key}" in statement:
        return not _any_matches(statement[f"Not{key}"], name, lower=lower)
    return _any_matches(statement.get(key, "*"), name, lower=lower)


def _any_matches(patterns: object, name: str, *, lower: bool = False) -> bool:
    texts = (str(pattern) for pattern in _as_list(patterns))
    return any(_wildcard_matches(text.lower() if lower else text, name) for text in texts)


def _wildcard_matches(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _arn_matches(pattern: str, arn: str) -> bool:
    """Match the six components of an ARN one by one."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) and all(map(_wildcard_matches, wanted, found))


def _condition_results(statement: Json, context: Mapping[str, str]) -> Iterator[bool | None]:
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items() if isinstance(conditions, dict) else ():
        for key, values in keys.items():
            yield _condition_matches(
                operator, key.lower(), [str(value) for value in _as_list(values)], context
            )


def _condition_matches(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool | None:
    """Apply a condition operator; a missing key matches only negated operators and `…IfExists`."""
    name = operator.removesuffix("IfExists")
    compare = _OPERATORS.get(name.replace("Not", ""))
    if compare is None or (key not in context and key not in ABSENT_CONTEXT_KEYS):
        return None
    if key not in context:
        return "Not" in name or operator.endswith("IfExists")
    return any(compare(value, context[key]) for value in values) != ("Not" in name)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn_matches,
    "ArnLike": _arn_matches,
    "StringEquals": lambda value, found: value == found,
    "StringEqualsIgnoreCase": lambda value, found: value.lower() == found.lower(),
    "StringLike": _wildcard_matches,
    "Bool": lambda value, found: value.lower() == found,
}


def _as_list(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)
