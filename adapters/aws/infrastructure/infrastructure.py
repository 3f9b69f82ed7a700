"""Provisioning, repair, inspection and removal of the route on EventBridge and SQS."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.aws.diagnosis.bus import RouteDiagnosis
from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.infrastructure.base import QueueInfrastructure, RoutePlan
from adapters.aws.infrastructure.resources import RouteResources
from adapters.aws.infrastructure.teardown import remove_resources
from adapters.aws.route.definition import Route
from adapters.aws.route.event_archive import RouteArchive
from adapters.aws.route.rules import RouteRule, RuleTarget
from domain.model.errors import InfrastructureError
from domain.model.route.route import Finding, RouteNames
from domain.model.route.status import Inspection, RemovedResource

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient


class AwsEventInfrastructure(QueueInfrastructure):
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
        super().__init__(sqs, cloudwatch, pause=pause)
        self._events = events
        self._names = names
        self._key = key
        self._diagnosis = RouteDiagnosis(events, sqs, kms, names)

    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        """Read every resource and the metrics of both queues."""
        resources = self._resources(self._route(archive_days), archive_days)
        route = self.statuses(resources.required)
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

    def planned(self, archive_days: int | None) -> RoutePlan:
        """List dead-letter queue, queue, rule, target and, where it is wanted, the archive."""
        route = self._route(archive_days)
        resources = self._resources(route, archive_days)
        return RoutePlan(
            route,
            resources.dead_letter_queue,
            resources.queue,
            (resources.rule, resources.target),
            route.rule_arn,
            resources.archive if route.replays else None,
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
            *self.queues(route),
            RouteRule(self._events, route, self._pause),
            RuleTarget(self._events, route, self._pause),
            RouteArchive(self._events, route, self._pause, archive_days) if self._names.archive else None,
        )

    def _other_targets(self, target: RuleTarget) -> tuple[str, ...]:
        try:
            with translate_infrastructure_errors():
                return target.others()
        except InfrastructureError:  # the status of the target holds the reason
            return ()
