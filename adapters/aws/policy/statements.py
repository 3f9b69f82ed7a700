"""Statements of a queue's policy: comparing and merging ours with those of others."""

import json
from collections.abc import Iterable, Iterator

from adapters.aws.policy.evaluation import Json, canonical, statements
from domain.model.route.route import Drift

NOTHING = "none"


def policy_differences(wanted: str, found: str, *, tolerated: Iterable[Json]) -> Iterator[Drift]:
    """List missing and additional statements, compared by meaning.

    A statement with the `Sid` of one of ours counts as ours, even where it was changed. A tolerated
    statement may be present or absent.
    """
    wanted_ones = {canonical(statement) for statement in statements(wanted)}
    found_ones = {canonical(statement): statement for statement in statements(found)}
    for text in sorted(wanted_ones - found_ones.keys()):
        yield Drift("Policy", text, "not among its statements" if found else NOTHING)
    for text in sorted(found_ones.keys() - wanted_ones - set(map(canonical, tolerated))):
        ours = _sid(found_ones[text]) in _sids(wanted)
        yield Drift("Policy", "no further statement", text, ours=ours)


def merge(wanted: str, found: str | None) -> str:
    """Replace our statements in the policy found by those wanted; keep those of others."""
    document = json.loads(found) if found else json.loads(wanted)
    ours = list(statements(wanted))
    meanings = {canonical(statement) for statement in ours}
    others = [
        statement
        for statement in statements(found or "")
        if _sid(statement) not in _sids(wanted) and canonical(statement) not in meanings
    ]
    return json.dumps({**document, "Statement": [*ours, *others]})


def _sids(policy: str) -> set[object]:
    return {_sid(statement) for statement in statements(policy)}


def _sid(statement: Json) -> object:
    return statement.get("Sid")
