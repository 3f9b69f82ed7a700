"""Diagnosis of topic and subscription by their configuration: SNS reports no reason for a drop."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from adapters.aws.diagnosis.patterns import matches_plainly
from adapters.aws.diagnosis.queue import Feed, QueueDiagnosis
from adapters.aws.findings import checked
from adapters.aws.policy.evaluation import SNS
from adapters.aws.route.queue_pair import queue_arn_beside
from adapters.aws.route.topic import FoundSubscription, subscription_of, subscriptions
from adapters.aws.route.topic_definition import FILTER_SCOPE, filter_policy, topic_arn
from domain.model.clock import utc_now
from domain.model.events.cloud_event import cloud_event
from domain.model.route.route import Finding, RouteComponent, RouteNames
from domain.model.route.test_event import route_test_event

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

    from adapters.aws.sns.topic import TopicAddress

MAX_SHOWN = 5
"""Other subscribers that a finding names."""


class TopicDiagnosis:
    """Checks topic and subscription; where one of them is broken, SNS refuses events, or drops them.

    Changes nothing and sends nothing.
    """

    def __init__(self, sns: "SNSClient", topic: "TopicAddress", names: RouteNames) -> None:
        self._sns = sns
        self._topic = topic
        self._names = names

    def findings(self) -> tuple[Finding, ...]:
        """List the faults; a missing topic ends the check."""
        topic = checked(RouteComponent.TOPIC, self._existence)
        if any(finding.proven for finding in topic):
            return topic
        return (*topic, *checked(RouteComponent.SUBSCRIPTION, self._subscription))

    def _existence(self) -> Iterator[Finding]:
        try:
            self._sns.get_topic_attributes(TopicArn=self._topic.arn)
        except self._sns.exceptions.NotFoundException:
            yield Finding(
                RouteComponent.TOPIC,
                f"the topic {self._names.topic} does not exist",
                "SNS knows no topic of that name in this region and account",
                f"Run `{self._names.provision_command}`, or correct SNS_TOPIC_NAME or AWS_REGION.",
            )

    def _subscription(self) -> Iterator[Finding]:
        arn = self._topic.arn
        found = subscription_of(self._sns, arn, queue_arn_beside(arn, self._names))
        if found is None:
            yield self._unsubscribed()
        elif found.is_pending:
            yield Finding(
                RouteComponent.SUBSCRIPTION,
                f"the subscription of the queue {self._names.queue} is not confirmed",
                "SNS sends nothing to the queue before it is",
                f"Run `{self._names.provision_command} --repair` with credentials of the queue's account.",
            )
        else:
            yield from checked(RouteComponent.FILTER_POLICY, partial(self._filter, found))

    def _unsubscribed(self) -> Finding:
        others = [each["Endpoint"] for each in subscriptions(self._sns, self._topic.arn)]
        more = f" and {len(others) - MAX_SHOWN} more" if len(others) > MAX_SHOWN else ""
        return Finding(
            RouteComponent.SUBSCRIPTION,
            f"the queue {self._names.queue} is not subscribed to the topic {self._names.topic}",
            f"the topic's subscribers are {', '.join(others[:MAX_SHOWN]) or 'none'}{more}",
            f"Run `{self._names.provision_command}`, or correct {self._names.variable('QUEUE_NAME')}.",
        )

    def _filter(self, found: FoundSubscription) -> Iterator[Finding]:
        policy = found.attributes.get("FilterPolicy") or "{}"
        scope = found.attributes.get("FilterPolicyScope", FILTER_SCOPE)
        matches = matches_plainly(json.loads(policy), _sample(self._names, scope))
        remedy = (
            f"Run `{self._names.provision_command} --repair`, which sets the filter policy to "
            f"{filter_policy(self._names)} with the scope {FILTER_SCOPE}; SNS may take 15 minutes to use it."
        )
        evidence = f"its filter policy is {policy} with the scope {scope}"
        if matches is None:
            problem = "the subscription's filter policy could not be checked against our events"
            yield Finding(RouteComponent.FILTER_POLICY, problem, evidence, remedy, proven=False)
        elif not matches:
            problem = "the subscription's filter policy does not match our events"
            yield Finding(RouteComponent.FILTER_POLICY, problem, evidence, remedy)


class TopicRouteDiagnosis:
    """Checks topic, subscription, queue policy and key; changes nothing and sends nothing."""

    def __init__(
        self,
        sns: "SNSClient",
        sqs: "SQSClient",
        kms: "KMSClient",
        topic: "TopicAddress",
        names: RouteNames,
    ) -> None:
        self._topic = TopicDiagnosis(sns, topic, names)
        self._queue = QueueDiagnosis(sqs, kms, names, Feed("SNS", SNS, partial(topic_arn, names=names)))

    def findings(self) -> tuple[Finding, ...]:
        """List the faults of topic, subscription and queue."""
        return (*self._topic.findings(), *self._queue.findings())


def _sample(names: RouteNames, scope: str) -> Mapping[str, object]:
    """Build what a filter policy of that scope sees of the test event."""
    event = route_test_event(utc_now(), names.kind)
    if scope != FILTER_SCOPE:
        sample: Mapping[str, object] = json.loads(cloud_event(event, source=names.source))
        return sample
    return {"source": names.source, "detail-type": event.DETAIL_TYPE, "tenant_id": str(event.tenant_id)}
