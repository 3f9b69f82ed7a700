"""Whether a resource's policy lets EventBridge do something, as far as the policy's text tells.

Follows "Policy evaluation logic" of the IAM user guide for a call that EventBridge makes by itself: what is
not allowed is refused, and a matching Deny wins. Where a statement asks for something that cannot be known
from here, the answer is "unknown", never a guess.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

EVENTBRIDGE = "events.amazonaws.com"

Json = Mapping[str, object]

ABSENT_KEYS = frozenset(
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
"""Condition keys that a call of an AWS service does not carry."""


class Decision(StrEnum):
    """What a policy says to a call."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Evaluation(NamedTuple):
    """What a policy says, and the statement that decides, or why none does."""

    answer: Decision
    evidence: str


@dataclass(frozen=True, slots=True)
class EventBridgeCall:
    """A call that EventBridge makes on behalf of a rule."""

    action: str
    resource: str
    rule_arn: str

    @property
    def context(self) -> Mapping[str, str]:
        """The condition keys that are known for such a call, in lower case."""
        return {
            "aws:sourcearn": self.rule_arn,
            "aws:sourceaccount": self.rule_arn.split(":")[4],
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": EVENTBRIDGE,
        }


def evaluate(policy: str | None, call: EventBridgeCall) -> Evaluation:
    """What the policy says to the call."""
    if not policy:
        return Evaluation(Decision.REFUSED, "there is no policy")
    matches = [(statement, _applies(statement, call)) for statement in statements(policy)]
    for effect, matched, answer in (
        ("Deny", True, Decision.REFUSED),
        ("Deny", None, Decision.UNKNOWN),
        ("Allow", True, Decision.ALLOWED),
        ("Allow", None, Decision.UNKNOWN),
    ):
        for statement, match in matches:
            if statement.get("Effect") == effect and match is matched:
                return Evaluation(answer, canonical(statement))
    return Evaluation(
        Decision.REFUSED, f"no statement allows {call.action} to {EVENTBRIDGE} for {call.rule_arn}"
    )


def statements(policy: str) -> tuple[Json, ...]:
    """The statements of a policy, of which there may be one or a list; unreadable policies have none."""
    try:
        document = json.loads(policy)
    except ValueError:
        return ()
    found = document.get("Statement", ()) if isinstance(document, dict) else ()
    return tuple(statement for statement in _listed(found) if isinstance(statement, dict))


def canonical(value: object) -> str:
    """JSON that is the same for all spellings of a statement or pattern.

    Order, `"x"` or `["x"]`, the case of actions and condition keys, `ArnLike` or `ArnEquals`, and `Sid` make
    no difference.
    """
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: object, key: str = "") -> object:
    if isinstance(value, dict):
        return {_plain_name(name): _plain(item, name) for name, item in value.items() if name != "Sid"}
    if isinstance(value, list):
        items = sorted(
            (_plain(item, key) for item in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
        return items[0] if len(items) == 1 else items
    return value.lower() if key in ("Action", "NotAction") and isinstance(value, str) else value


def _plain_name(name: str) -> str:
    return name.lower() if ":" in name else name.replace("ArnLike", "ArnEquals")


def _applies(statement: Json, call: EventBridgeCall) -> bool | None:
    """Whether the statement speaks of the call; None where that cannot be known."""
    return _all(
        (
            _principal_matches(statement),
            _names_match(statement, "Action", call.action.lower()),
            _names_match(statement, "Resource", call.resource),
            *_conditions(statement, call.context),
        )
    )


def _all(answers: Iterable[bool | None]) -> bool | None:
    answers = tuple(answers)
    if False in answers:
        return False
    return None if None in answers else True


def _principal_matches(statement: Json) -> bool | None:
    if "NotPrincipal" in statement:
        return None
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        everyone = "*" in _listed(principal.get("AWS", ()))
        return everyone or any(name in (EVENTBRIDGE, "*") for name in _listed(principal.get("Service", ())))
    return principal == "*"


def _names_match(statement: Json, key: str, name: str) -> bool:
    """`Action` or `Resource`, or its opposite: no statement has both."""
    lower = key == "Action"
    if f"Not{key}" in statement:
        return not _any_glob(statement[f"Not{key}"], name, lower=lower)
    return _any_glob(statement.get(key, "*"), name, lower=lower)


def _any_glob(patterns: object, name: str, *, lower: bool = False) -> bool:
    texts = (str(pattern) for pattern in _listed(patterns))
    return any(_glob(text.lower() if lower else text, name) for text in texts)


def _glob(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _arn_glob(pattern: str, arn: str) -> bool:
    """An ARN's six parts are compared one by one."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) and all(map(_glob, wanted, found))


def _conditions(statement: Json, context: Mapping[str, str]) -> Iterator[bool | None]:
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items() if isinstance(conditions, dict) else ():
        for key, values in keys.items():
            yield _condition(operator, key.lower(), [str(value) for value in _listed(values)], context)


def _condition(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool | None:
    """A key that is absent fails every comparison but the negated ones and `…IfExists`."""
    name = operator.removesuffix("IfExists")
    compare = _COMPARISONS.get(name.replace("Not", ""))
    if compare is None or (key not in context and key not in ABSENT_KEYS):
        return None
    if key not in context:
        return "Not" in name or operator.endswith("IfExists")
    return any(compare(value, context[key]) for value in values) != ("Not" in name)


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn_glob,
    "ArnLike": _arn_glob,
    "StringEquals": lambda value, found: value == found,
    "StringEqualsIgnoreCase": lambda value, found: value.lower() == found.lower(),
    "StringLike": _glob,
    "Bool": lambda value, found: value.lower() == found,
}


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)
