"""The route on EventBridge and SQS: created, looked into, mended and removed, part by part."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from adapters.aws.diagnosis.bus import RouteDiagnosis
from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.infrastructure.resources import RouteResources
from adapters.aws.infrastructure.teardown import remove_parts
from adapters.aws.route.definition import Route
from adapters.aws.route.drift import queue_differences
from adapters.aws.route.event_archive import RouteArchive
from adapters.aws.route.patience import Patience
from adapters.aws.route.queues import FoundQueue, RouteQueue
from adapters.aws.route.resource import ManagedResource
from adapters.aws.route.rules import RouteRule, RuleTarget
from adapters.aws.sqs.metrics import QueueMetrics
from domain.model.errors import InfrastructureError
from domain.model.route.route import (
    Finding,
    ProvisionedResource,
    ProvisioningReport,
    RouteComponent,
    RouteNames,
)
from domain.model.route.status import Inspection, RemovedResource, ResourceStatus
from ports.event_infrastructure_port import EventInfrastructurePort

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient


class AwsEventInfrastructure(EventInfrastructurePort):
    """Dead-letter queue, queue, rule, target and archive, called by the names of the route.

    Args:
        key: the KMS key that encrypts both queues; None for SQS's own encryption.
    """

    def __init__(
        self,
        events: "EventBridgeClient",
        sqs: "SQSClient",
        kms: "KMSClient",
        cloudwatch: "CloudWatchClient",
        names: RouteNames,
        *,
        key: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._sqs = sqs
        self._names = names
        self._key = key
        self._patience = Patience(pause)
        self._ages = QueueMetrics(cloudwatch)
        self._diagnosis = RouteDiagnosis(events, sqs, kms, names)

    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create what is missing, in the requirements' order, and check everything (7.5)."""
        return self._set_up(archive_days, ManagedResource.ensure)

    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """The same, and mend what differs."""
        return self._set_up(archive_days, ManagedResource.repair)

    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        """Read every part, and the metrics of both queues."""
        parts = self._parts(self._route(archive_days), archive_days)
        route = [self._with_age(part.look()) for part in parts[:-1]]
        archive = parts.archive.look(expected=archive_days is not None)
        return Inspection((*route, archive), self._other_targets(parts.target))

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        """Remove them in an order in which no event is lost on the way."""
        parts = self._parts(self._route(None), None)
        return remove_parts(parts, self._events, self._names, force=force, archive=archive)

    def diagnose(self) -> tuple[Finding, ...]:
        """Read the configuration of every component."""
        return self._diagnosis.findings()

    def _set_up(
        self, archive_days: int | None, step: Callable[[ManagedResource[Any]], ProvisionedResource]
    ) -> ProvisioningReport:
        route = self._route(archive_days)
        parts = self._parts(route, archive_days)
        wanted: tuple[ManagedResource[Any], ...] = parts if route.replays else parts[:-1]
        done = tuple(step(part) for part in wanted)
        queue = self._there(parts.queue)
        return ProvisioningReport(
            parts=done,
            queue_address=queue.url,
            dead_letter_queue_address=self._there(parts.dead_letter_queue).url,
            rule_identifier=route.rule_arn,
            findings=(*self.diagnose(), *_redrive_findings(route, queue)),
        )

    def _route(self, archive_days: int | None) -> Route:
        return Route(self._names, self._bus_arn(), self._key, replays=archive_days is not None)

    def _bus_arn(self) -> str:
        with translate_infrastructure_errors(f"reading the event bus {self._names.bus}"):
            try:
                return self._events.describe_event_bus(Name=self._names.bus)["Arn"]
            except self._events.exceptions.ResourceNotFoundException:
                raise InfrastructureError(
                    f"the event bus {self._names.bus} does not exist, and nothing was changed: "
                    f"run `aws events create-event-bus --name {self._names.bus}`, or correct "
                    "EVENTBRIDGE_BUS_NAME or AWS_REGION"
                ) from None

    def _parts(self, route: Route, archive_days: int | None) -> RouteResources:
        return RouteResources(
            RouteQueue(self._sqs, RouteComponent.DEAD_LETTER_QUEUE, route, self._patience),
            RouteQueue(self._sqs, RouteComponent.QUEUE, route, self._patience),
            RouteRule(self._events, route, self._patience),
            RuleTarget(self._events, route, self._patience),
            RouteArchive(self._events, route, self._patience, archive_days),
        )

    def _there(self, part: RouteQueue) -> FoundQueue:
        with translate_infrastructure_errors(f"reading {part.title}"):
            found = part.find()
        if found is None:
            raise InfrastructureError(f"{part.title} is gone again: somebody removes it meanwhile")
        return found

    def _with_age(self, standing: ResourceStatus) -> ResourceStatus:
        if standing.load is None:
            return standing
        return standing._replace(load=self._ages.with_age(standing.load, standing.name))

    def _other_targets(self, target: RuleTarget) -> tuple[str, ...]:
        try:
            with translate_infrastructure_errors():
                return target.others()
        except InfrastructureError:  # the target's own standing says so
            return ()


def _redrive_findings(route: Route, queue: FoundQueue) -> Iterator[Finding]:
    for difference in queue_differences(route.queue_attributes, queue.attributes):
        if difference.attribute == "RedrivePolicy.deadLetterTargetArn":
            yield Finding(
                RouteComponent.DEAD_LETTER_QUEUE,
                "messages that fail do not go to the dead-letter queue",
                f"{difference.attribute} is {difference.found}",
                f"Set the queue's redrive policy to {route.queue_attributes['RedrivePolicy']}, "
                "or run `transcripts provision --repair`.",
            )
