"""Removal of the route without losing events: the queue is removed after everything that feeds it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.infrastructure.base import require_empty
from adapters.aws.replay.rules import ReplayRules
from domain.model.route.route import RouteComponent, RouteNames
from domain.model.route.status import RemovalOutcome, RemovedResource

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

    from adapters.aws.infrastructure.resources import RouteResources
    from adapters.aws.route.event_archive import RouteArchive


def remove_resources(
    resources: "RouteResources", events: "EventBridgeClient", names: RouteNames, *, force: bool, archive: bool
) -> tuple[RemovedResource, ...]:
    """Remove the resources; report the bus, and the archive unless it is to be removed, as left.

    Raises:
        InfrastructureError: a queue holds messages, or a resource cannot be removed.
    """
    queues = (resources.queue, resources.dead_letter_queue)
    if not force:
        require_empty(queues, "Nothing was removed.")
    with translate_infrastructure_errors("removing the rules of replays"):
        ReplayRules(events, names).remove_all()
    feeding = (resources.target.remove(), resources.rule.remove())
    if not force:
        require_empty(queues, "Target and rule are removed, the queues are not.")
    holding = (resources.queue.remove(), resources.dead_letter_queue.remove())
    return (*feeding, *holding, *_rest(resources, names, archive=archive))


def _rest(resources: "RouteResources", names: RouteNames, *, archive: bool) -> Iterable[RemovedResource]:
    if resources.archive is not None:
        yield from _archive(resources.archive, remove=archive)
    yield RemovedResource(RouteComponent.BUS, names.bus, RemovalOutcome.LEFT, "others may use it")


def _archive(archive: "RouteArchive", *, remove: bool) -> Iterable[RemovedResource]:
    if remove:
        yield archive.remove()
    elif archive.status(expected=False).exists is not False:
        yield RemovedResource(
            RouteComponent.ARCHIVE, archive.name, RemovalOutcome.LEFT, "only --archive removes it"
        )
