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
    archive: RouteArchive
