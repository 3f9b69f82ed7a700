"""How the route stands, what would have to be done about it, and what is left once it was removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.model.route.route import Drift, RouteComponent


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


class ResourceStatus(NamedTuple):
    """How one part of the route stands.

    Attributes:
        exists: None where that could not be told; `problem` says why.
        state: the provider's word for it, where it has one.
        load: what is in it, if it is a queue.
        expected: False for a part that nobody asked for; that it is missing is no drift.
    """

    component: RouteComponent
    name: str
    exists: bool | None
    differences: tuple[Drift, ...] = ()
    state: str = ""
    load: QueueLoad | None = None
    problem: str = ""
    expected: bool = True

    @property
    def drift(self) -> tuple[Drift, ...]:
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


class PlannedChange(NamedTuple):
    """One step of a plan; the differences are what a change would mend."""

    action: Action
    component: RouteComponent
    name: str
    differences: tuple[Drift, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """How the route stands, in the order in which it is provisioned.

    Attributes:
        other_targets: where else the rule sends; others have added those.
    """

    parts: tuple[ResourceStatus, ...]
    other_targets: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every part is known to be there and as it should be."""
        return all(part.ok for part in self.parts)

    @property
    def plan(self) -> tuple[PlannedChange, ...]:
        """What provisioning would create, and what a repair would change as well."""
        return tuple(self._plan())

    def _plan(self) -> Iterator[PlannedChange]:
        for part in self.parts:
            if part.exists is False and part.expected:
                yield PlannedChange(Action.CREATE, part.component, part.name)
            elif part.drift:
                yield PlannedChange(Action.CHANGE, part.component, part.name, part.drift)


class RemovalOutcome(StrEnum):
    """What became of a part when the route was removed."""

    REMOVED = "removed"
    MISSING = "missing"
    """It was not there."""
    LEFT = "left"


class RemovedResource(NamedTuple):
    """What removing the route did about one part, and why it was left, if it was."""

    component: RouteComponent
    name: str
    outcome: RemovalOutcome
    reason: str = ""
