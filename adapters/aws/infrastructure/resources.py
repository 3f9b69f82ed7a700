"""The resources that make up the route."""

from typing import NamedTuple

from adapters.aws.route.event_archive import RouteArchive
from adapters.aws.route.queues import RouteQueue
from adapters.aws.route.rules import RouteRule, RuleTarget


class RouteResources(NamedTuple):
    """The resources of the route in the requirements' order (7.1 to 7.4); the archive comes last."""

    dead_letter_queue: RouteQueue
    queue: RouteQueue
    rule: RouteRule
    target: RuleTarget
    archive: RouteArchive | None  # None for a route that is never archived

    @property
    def required(self) -> tuple[RouteQueue | RouteRule | RuleTarget, ...]:
        """All resources but the archive."""
        return self.dead_letter_queue, self.queue, self.rule, self.target
