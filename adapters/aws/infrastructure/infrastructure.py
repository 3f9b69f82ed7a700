"""Provisioning, repair, inspection and removal of the route on EventBridge and SQS."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from adapters.aws.diagnosis.bus import RouteDiagnosis
from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.infrastructure.resources import RouteResources
from adapters.aws.infrastructure.teardown import remove_resources
from adapters.aws.route.definition import Route
from adapters.aws.route.drift import queue_differences
from adapters.aws.route.event_archive import RouteArchive
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
    """Manages dead-letter queue, queue, rule, target and archive by the names of the route."""

    def __init__(
        self,
        events: "EventBridgeClient",
        sqs: "SQSClient",
        kms: "KMSClient",
        cloudwatch: "CloudWatchClient",
        names: RouteNames,
        *,
        key: str | None = None,  # the KMS key that encrypts both queues; None for SQS's own encryption
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._sqs = sqs
        self._names = names
        self._key = key
        self._pause = pause
        self._metrics = QueueMetrics(cloudwatch)
        self._diagnosis = RouteDiagnosis(events, sqs, kms, names)

    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create missing resources in the requirements' order, then check the whole route (7.5)."""
        return self._set_up(archive_days, ManagedResource.ensure)

    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create missing resources, change those that differ, then check the whole route."""
        return self._set_up(archive_days, ManagedResource.repair)

    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        """Read every resource and the metrics of both queues."""
        resources = self._resources(self._route(archive_days), archive_days)
        route = [self._with_age(resource.status()) for resource in resources.required]
        if resources.archive is not None:
            route.append(resources.archive.status(expected=archive_days is not None))
        return Inspection(tuple(route), self._other_targets(resources.target))

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        """Remove the resources in an order in which no event is lost."""
        resources = self._resources(self._route(None), None)
        return remove_resources(resources, self._events, self._names, force=force, archive=archive)

    def diagnose(self) -> tuple[Finding, ...]:
        """Check the configuration of every component."""
        return self._diagnosis.findings()

    def _set_up(
        self, archive_days: int | None, step: Callable[[ManagedResource[Any]], ProvisionedResource]
    ) -> ProvisioningReport:
        route = self._route(archive_days)
        resources = self._resources(route, archive_days)
        wanted: list[ManagedResource[Any]] = [*resources.required]
        if route.replays and resources.archive is not None:
            wanted.append(resources.archive)
        done = tuple(step(resource) for resource in wanted)
        queue = self._existing(resources.queue)
        return ProvisioningReport(
            resources=done,
            queue_address=queue.url,
            dead_letter_queue_address=self._existing(resources.dead_letter_queue).url,
            rule_identifier=route.rule_arn,
            findings=(*self.diagnose(), *_redrive_findings(route, queue)),
        )

    def _route(self, archive_days: int | None) -> Route:
        is_archived = bool(self._names.archive) and archive_days is not None
        return Route(self._names, self._bus_arn(), self._key, replays=is_archived)

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

    def _resources(self, route: Route, archive_days: int | None) -> RouteResources:
        return RouteResources(
            RouteQueue(self._sqs, RouteComponent.DEAD_LETTER_QUEUE, route, self._pause),
            RouteQueue(self._sqs, RouteComponent.QUEUE, route, self._pause),
            RouteRule(self._events, route, self._pause),
            RuleTarget(self._events, route, self._pause),
            RouteArchive(self._events, route, self._pause, archive_days) if self._names.archive else None,
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

    def _other_targets(self, target: RuleTarget) -> tuple[str, ...]:
        try:
            with translate_infrastructure_errors():
                return target.others()
        except InfrastructureError:  # the status of the target holds the reason
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
