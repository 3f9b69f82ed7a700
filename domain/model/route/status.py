"""Status of the route, plan of the changes it needs, and result of its removal."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.model.route.route import Drift, RouteComponent


class QueueLoad(NamedTuple):
    """Approximate number of messages in a queue; the counts lag behind."""

    waiting: int  # messages that are visible or delayed
    in_flight: int  # messages that were received and are neither deleted nor visible again
    oldest_seconds: float | None = None  # the age of the oldest message; None where it is not known
    not_known_because: str = ""  # the reason why the age is not known

    @property
    def is_empty(self) -> bool:
        """True where the queue holds no message."""
        return self.waiting + self.in_flight == 0


class ResourceStatus(NamedTuple):
    """Status of one resource of the route."""

    component: RouteComponent
    name: str
    exists: bool | None  # None where the resource could not be read; `problem` holds the reason
    differences: tuple[Drift, ...] = ()
    state: str = ""  # the provider's name of the state, where it has one
    load: QueueLoad | None = None  # message counts, for a queue
    problem: str = ""
    expected: bool = True  # False for an optional resource; its absence is no drift

    @property
    def drift(self) -> tuple[Drift, ...]:
        """Differences without the additions of others."""
        return tuple(difference for difference in self.differences if difference.ours)

    @property
    def ok(self) -> bool:
        """True where the resource is known to exist without drift, or is optional and missing."""
        return not self.drift and bool(self.exists or not self.expected)


class Action(StrEnum):
    """Kind of a planned change."""

    CREATE = "create"
    CHANGE = "change"


class PlannedChange(NamedTuple):
    """One step of a plan, with the differences that it would correct."""

    action: Action
    component: RouteComponent
    name: str
    differences: tuple[Drift, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """Status of the route, in the order in which it is provisioned."""

    resources: tuple[ResourceStatus, ...]
    other_targets: tuple[str, ...] = ()  # ARNs of the rule's targets that others have added

    @property
    def ok(self) -> bool:
        """True where every resource is known to be as it should be."""
        return all(resource.ok for resource in self.resources)

    @property
    def unread(self) -> tuple[ResourceStatus, ...]:
        """Resources that the route needs and that could not be read."""
        return tuple(each for each in self.resources if each.problem and each.expected)

    @property
    def plan(self) -> tuple[PlannedChange, ...]:
        """Resources that provisioning would create, and those that a repair would change."""
        return tuple(self._plan())

    def _plan(self) -> Iterator[PlannedChange]:
        for resource in self.resources:
            if resource.exists is False and resource.expected:
                yield PlannedChange(Action.CREATE, resource.component, resource.name)
            elif resource.drift:
                yield PlannedChange(Action.CHANGE, resource.component, resource.name, resource.drift)


class RemovalOutcome(StrEnum):
    """Outcome of removing one resource."""

    REMOVED = "removed"
    MISSING = "missing"
    """The resource did not exist."""
    LEFT = "left"


class RemovedResource(NamedTuple):
    """Result of removing one resource, with the reason where it was left."""

    component: RouteComponent
    name: str
    outcome: RemovalOutcome
    reason: str = ""
