"""Provisioning, repair, inspection and removal of the route on SNS and SQS."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.aws.diagnosis.topic import TopicRouteDiagnosis
from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.infrastructure.base import QueueInfrastructure, RoutePlan, require_empty
from adapters.aws.route.topic import QueueSubscription, RouteTopic
from adapters.aws.route.topic_definition import TopicRoute
from domain.model.route.route import Finding, RouteNames
from domain.model.route.status import Inspection, RemovedResource

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_kms import KMSClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

    from adapters.aws.sns.topic import TopicAddress

logger = logging.getLogger(__name__)


class SnsEventInfrastructure(QueueInfrastructure):
    """Manages dead-letter queue, queue, topic and subscription by the names of the route.

    The topic is shared by the routes of all kinds of events. SNS keeps no events, so there is no archive.
    """

    def __init__(
        self,
        sns: "SNSClient",
        sqs: "SQSClient",
        kms: "KMSClient",
        cloudwatch: "CloudWatchClient",
        topic: "TopicAddress",
        names: RouteNames,
        *,
        key: str | None = None,  # the KMS key that encrypts topic and queues; None for SQS's own encryption
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(sqs, cloudwatch, pause=pause)
        self._sns = sns
        self._topic = topic
        self._names = names
        self._key = key
        self._diagnosis = TopicRouteDiagnosis(sns, sqs, kms, topic, names)

    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        """Read every resource and the metrics of both queues."""
        return Inspection(tuple(self.statuses(self.planned(archive_days).required)))

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        """Remove subscription, topic and queues, in this order; a topic with other subscribers is left."""
        plan = self.planned(0 if archive else None)
        both = (plan.queue, plan.dead_letter_queue)
        if not force:
            require_empty(both, "Nothing was removed.")
        feeding = tuple(resource.remove() for resource in reversed(plan.feed))
        if not force:
            require_empty(both, "The subscription is removed, the queues are not.")
        return (*feeding, *(queue.remove() for queue in both))

    def diagnose(self) -> tuple[Finding, ...]:
        """Check the configuration of every component."""
        return self._diagnosis.findings()

    def planned(self, archive_days: int | None) -> RoutePlan:
        """List dead-letter queue, queue, topic and subscription."""
        if archive_days is not None:
            logger.warning("SNS keeps no events: there is no archive, and nothing to replay")
        with translate_infrastructure_errors("asking STS for the account of the topic"):
            route = TopicRoute(self._names, self._topic.arn, self._key)
        topic = RouteTopic(self._sns, route, self._pause)
        subscription = QueueSubscription(self._sns, route, self._pause)
        return RoutePlan(route, *self.queues(route), (topic, subscription), route.topic_arn)
