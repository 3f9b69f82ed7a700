"""How the route stands, what would have to be done about it, and what is left once it was removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.model.route.route import Difference, Link


class QueueLoad(NamedTuple):
    """What is in a queue, roughly: the counts lag behind.

    Attributes:
        waiting: messages that may be received now, and those that may be soon.
        in_flight: received by somebody and neither deleted nor visible again.
        oldest_seconds: the age of the oldest message; None where it is not known.
        not_known_because: why.
    """

    waiting: int
    in_flight: int
    oldest_seconds: float | None = None
    not_known_because: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return self.waiting + self.in_flight == 0


class Standing(NamedTuple):
    """How one part of the route stands.

    Attributes:
        exists: None where that could not be told; `problem` says why.
        state: the provider's word for it, where it has one.
        load: what is in it, if it is a queue.
        expected: False for a part that nobody asked for; that it is missing is no drift.
    """

    link: Link
    name: str
    exists: bool | None
    differences: tuple[Difference, ...] = ()
    state: str = ""
    load: QueueLoad | None = None
    problem: str = ""
    expected: bool = True

    @property
    def drift(self) -> tuple[Difference, ...]:
        """What differs, without what others have added."""
        return tuple(difference for difference in self.differences if difference.ours)

    @property
    def ok(self) -> bool:
        """Whether it is there and as it should be; what could not be looked at is not known to be."""
        return not self.drift and bool(self.exists or not self.expected)


class Action(StrEnum):
    """What is to be done about a part."""

    CREATE = "create"
    CHANGE = "change"


class Change(NamedTuple):
    """One step of a plan; the differences are what a change would mend."""

    action: Action
    link: Link
    name: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """How the route stands, in the order in which it is provisioned.

    Attributes:
        other_targets: where else the rule sends; others have added those.
    """

    parts: tuple[Standing, ...]
    other_targets: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every part is known to be there and as it should be."""
        return all(part.ok for part in self.parts)

    @property
    def plan(self) -> tuple[Change, ...]:
        """What provisioning would create, and what a repair would change as well."""
        return tuple(self._plan())

    def _plan(self) -> Iterator[Change]:
        for part in self.parts:
            if part.exists is False and part.expected:
                yield Change(Action.CREATE, part.link, part.name)
            elif part.drift:
                yield Change(Action.CHANGE, part.link, part.name, part.drift)


class Fate(StrEnum):
    """What became of a part when the route was removed."""

    REMOVED = "removed"
    MISSING = "missing"
    """It was not there."""
    LEFT = "left"


class Removal(NamedTuple):
    """What removing the route did about one part, and why it was left, if it was."""

    link: Link
    name: str
    fate: Fate
    reason: str = ""
