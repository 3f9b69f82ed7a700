"""Provisioning, repair and inspection of two queues with what feeds them, whichever service that is."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.route.drift import queue_differences
from adapters.aws.route.queue_pair import QueuePair
from adapters.aws.route.queues import FoundQueue, RouteQueue
from adapters.aws.route.resource import ManagedResource
from adapters.aws.sqs.metrics import QueueMetrics
from domain.model.errors import InfrastructureError
from domain.model.route.route import Finding, ProvisionedResource, ProvisioningReport, RouteComponent
from domain.model.route.status import QueueLoad, ResourceStatus
from ports.event_infrastructure_port import EventInfrastructurePort

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_sqs import SQSClient

Step = Callable[[ManagedResource[Any]], ProvisionedResource]


class RoutePlan(NamedTuple):
    """The resources of one route as they should be, in the order in which they are provisioned."""

    definition: QueuePair
    dead_letter_queue: RouteQueue
    queue: RouteQueue
    feed: tuple[ManagedResource[Any], ...]  # what sends to the queue
    feed_identifier: str
    archive: ManagedResource[Any] | None = None  # None where no archive is wanted

    @property
    def required(self) -> tuple[ManagedResource[Any], ...]:
        """All resources but the archive."""
        return self.dead_letter_queue, self.queue, *self.feed


class QueueInfrastructure(EventInfrastructurePort):
    """Manages dead-letter queue and queue, with the resources that feed them."""

    def __init__(
        self,
        sqs: "SQSClient",
        cloudwatch: "CloudWatchClient",
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sqs = sqs
        self._pause = pause
        self._metrics = QueueMetrics(cloudwatch)

    @abstractmethod
    def planned(self, archive_days: int | None) -> RoutePlan:
        """List the resources of the route."""

    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create missing resources in the requirements' order, then check the whole route (7.5)."""
        return self._set_up(self.planned(archive_days), ManagedResource.ensure)

    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create missing resources, change those that differ, then check the whole route."""
        return self._set_up(self.planned(archive_days), ManagedResource.repair)

    def queues(self, definition: QueuePair) -> tuple[RouteQueue, RouteQueue]:
        """Build the dead-letter queue and the queue."""
        return (
            RouteQueue(self._sqs, RouteComponent.DEAD_LETTER_QUEUE, definition, self._pause),
            RouteQueue(self._sqs, RouteComponent.QUEUE, definition, self._pause),
        )

    def statuses(self, resources: Iterable[ManagedResource[Any]]) -> list[ResourceStatus]:
        """Read the resources, and the metrics of both queues."""
        return [self._with_age(resource.status()) for resource in resources]

    def _set_up(self, plan: RoutePlan, step: Step) -> ProvisioningReport:
        wanted = [*plan.required, *([plan.archive] if plan.archive else [])]
        done = tuple(step(resource) for resource in wanted)
        queue = self._existing(plan.queue)
        return ProvisioningReport(
            resources=done,
            queue_address=queue.url,
            dead_letter_queue_address=self._existing(plan.dead_letter_queue).url,
            rule_identifier=plan.feed_identifier,
            findings=(*self.diagnose(), *_redrive_findings(plan.definition, queue)),
        )

    def _existing(self, queue: RouteQueue) -> FoundQueue:
        with translate_infrastructure_errors(f"reading {queue.title}"):
            found = queue.find()
        if found is None:
            raise InfrastructureError(
                f"{queue.title} was deleted by another process after it was provisioned; "
                "run the command again"
            )
        return found

    def _with_age(self, status: ResourceStatus) -> ResourceStatus:
        if status.load is None:
            return status
        return status._replace(load=self._metrics.with_age(status.load, status.name))


def require_empty(queues: tuple[RouteQueue, ...], so_far: str) -> None:
    """Refuse to go on while a queue holds a message; `so_far` says what was removed.

    Raises:
        InfrastructureError: names the queue and the number of its messages.
    """
    for queue in queues:
        with translate_infrastructure_errors(f"counting the messages of {queue.title}"):
            found = queue.find()
        load = queue.load_of(found) if found else QueueLoad(0, 0)
        if not load.is_empty:
            counts = f"{load.waiting} waiting, {load.in_flight} in flight"
            raise InfrastructureError(
                f"{queue.title} holds messages ({counts}). {so_far} Let consumers "
                "finish them, archive or purge them, and run the command again; or lose them with --force."
            )


def _redrive_findings(definition: QueuePair, queue: FoundQueue) -> Iterator[Finding]:
    for difference in queue_differences(definition.queue_attributes, queue.attributes):
        if difference.attribute == "RedrivePolicy.deadLetterTargetArn":
            yield Finding(
                RouteComponent.DEAD_LETTER_QUEUE,
                "messages that fail do not go to the dead-letter queue",
                f"{difference.attribute} is {difference.found}",
                f"Set the queue's redrive policy to {definition.queue_attributes['RedrivePolicy']}, "
                "or run `transcripts provision --repair`.",
            )
