"""What a new version of an event's JSON Schema costs its consumers (requirement 1.10).

Consumers read what producers write. So a change is major where an event of the new version can be one that
the old schema refuses, or lacks what it promised; what is narrowed on paper costs them nothing and is minor,
as is a new optional key. Where no rule says what a change means, it is major.
"""

from collections.abc import Iterator

from domain.model.contract.schema_keywords import Change
from domain.model.contract.schema_places import JsonSchema, canonical, top
from domain.model.contract.schema_structure import Pair, ProvisionedResource, parts
from domain.model.events.version import Bump

_OWN_NUMBER = frozenset(
    f"/properties/version/{keyword}" for keyword in ("const", "enum", "pattern", "default", "examples")
)


def required_bump(old: JsonSchema, new: JsonSchema) -> Bump:
    """What a consumer of `old` has to fear from `new`, both JSON Schemas of the event."""
    return max((change.bump for change in schema_changes(old, new)), default=Bump.NONE)


def schema_changes(old: JsonSchema, new: JsonSchema) -> tuple[Change, ...]:
    """Every difference that means something, the costliest first; none between a schema and itself.

    References within a document are followed. The values that the event's own `version` may hold and the
    document's `$id` change with every version, and say nothing by themselves. The alternatives of `oneOf` are
    taken to exclude one another.

    Raises:
        RecursionError: a document is nested hundreds of levels deep.
    """
    if canonical(old) == canonical(new):
        return ()
    found = dict.fromkeys(_all_changes(Pair(top(old), top(new))))
    return tuple(
        sorted(
            (change for change in found if change.path not in _OWN_NUMBER),
            key=lambda change: (-change.bump, change.path),
        )
    )


class _Bumps:
    """What each comparison costs, with all that is part of it.

    Schemas share their parts and may contain themselves: every pair of places begins with nothing, and grows
    with its parts until no pair grows any more.
    """

    def __init__(self, whole: Pair) -> None:
        self._pairs: dict[tuple[str, ...], Pair] = {}
        self._bumps: dict[tuple[str, ...], Bump] = {}
        self._waiting: list[Pair] = []
        self.of(whole)
        while self._waiting:
            self._sum_up(self._waiting.pop())
        while sum(map(self._sum_up, reversed(self._pairs.values()))):
            pass

    def of(self, part: ProvisionedResource) -> Bump:
        """What is known by now."""
        if isinstance(part, Change):
            return part.bump
        if part.name not in self._pairs:
            self._pairs[part.name] = part
            self._bumps[part.name] = Bump.NONE
            self._waiting.append(part)
        return self._bumps[part.name]

    def _sum_up(self, pair: Pair) -> bool:
        """Whether it grew."""
        before = self._bumps[pair.name]
        self._bumps[pair.name] = max([before, *map(self.of, parts(pair, self.of))])
        return self._bumps[pair.name] > before


def _all_changes(whole: Pair) -> Iterator[Change]:
    bumps, waiting, seen = _Bumps(whole), [whole], set[tuple[str, ...]]()
    while waiting:
        pair = waiting.pop()
        if pair.name in seen:
            continue
        seen.add(pair.name)
        for part in parts(pair, bumps.of):
            if isinstance(part, Change):
                yield part
            else:
                waiting.append(part)
