"""Diagnosis of bus, rule and target by their configuration: EventBridge reports no reason for a drop."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws.diagnosis.patterns import matches_plainly
from adapters.aws.diagnosis.queue import Feed, QueueDiagnosis
from adapters.aws.findings import checked
from adapters.aws.policy.evaluation import EVENTBRIDGE
from adapters.aws.route.definition import CHANGES_TO_EVENTS, DEFAULT_BUS, event_pattern, rule_arn
from adapters.aws.route.queue_pair import queue_arn_beside
from domain.model.clock import utc_now
from domain.model.events.event import TEST_EVENT_LABEL
from domain.model.route.route import Finding, RouteComponent, RouteNames
from domain.model.route.test_event import route_test_event

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import DescribeRuleResponseTypeDef
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient

NO_PATTERN = "[]"
"""Pattern of a scheduled rule, which matches no event."""


class BusDiagnosis:
    """Checks bus, rule and target; where one of them is broken, the bus accepts events and drops them.

    Changes nothing and sends nothing.
    """

    def __init__(self, events: "EventBridgeClient", names: RouteNames) -> None:
        self._events = events
        self._names = names

    def findings(self) -> tuple[Finding, ...]:
        """List the faults; a missing bus ends the check."""
        bus = checked(RouteComponent.BUS, self._bus)
        if any(finding.proven for finding in bus):
            return bus
        return (*bus, *checked(RouteComponent.RULE, self._rule))

    def _bus(self) -> Iterator[Finding]:
        if self._names.bus == DEFAULT_BUS:
            return
        try:
            self._events.describe_event_bus(Name=self._names.bus)
        except self._events.exceptions.ResourceNotFoundException:
            yield Finding(
                RouteComponent.BUS,
                f"the event bus {self._names.bus} does not exist",
                "EventBridge accepts events for it and drops them",
                f"Run `aws events create-event-bus --name {self._names.bus}` and "
                f"`{self._names.provision_command}`, or correct EVENTBRIDGE_BUS_NAME or AWS_REGION.",
            )

    def _rule(self) -> Iterator[Finding]:
        try:
            rule = self._events.describe_rule(Name=self._names.rule, EventBusName=self._names.bus)
        except self._events.exceptions.ResourceNotFoundException:
            yield Finding(
                RouteComponent.RULE,
                f"the rule {self._names.rule} does not exist",
                f"the event bus {self._names.bus} has no rule of that name",
                f"Run `{self._names.provision_command}`, or correct {self._names.variable('RULE_NAME')}.",
            )
            return
        if rule["State"] == "DISABLED":
            yield Finding(
                RouteComponent.RULE,
                f"the rule {self._names.rule} is disabled",
                f"its state is {rule['State']}",
                f"Run `aws events enable-rule --name {self._names.rule} --event-bus-name {self._names.bus}`.",
            )
        yield from checked(RouteComponent.PATTERN, lambda: self._pattern(rule))
        yield from checked(RouteComponent.TARGET, lambda: self._targets(rule))

    def _pattern(self, rule: "DescribeRuleResponseTypeDef") -> Iterator[Finding]:
        pattern = rule.get("EventPattern", NO_PATTERN)
        remedy = f"Set the rule's event pattern to {event_pattern(self._names)}."
        matches = self._matches(pattern, _sample_envelope(self._names, rule["Arn"]))
        if matches is None:
            problem = "the rule's pattern could not be checked against our events"
            yield Finding(RouteComponent.PATTERN, problem, f"its pattern is {pattern}", remedy, proven=False)
        elif not matches:
            problem = "the rule's pattern does not match our events"
            yield Finding(RouteComponent.PATTERN, problem, f"its pattern is {pattern}", remedy)

    def _matches(self, pattern: str, envelope: Mapping[str, object]) -> bool | None:
        """Ask EventBridge; where it gives no answer, evaluate patterns of plain values here."""
        try:
            answer = self._events.test_event_pattern(EventPattern=pattern, Event=json.dumps(envelope))
        except ClientError:  # a permission that is easily missed
            return matches_plainly(json.loads(pattern), envelope)
        return answer.get("Result", matches_plainly(json.loads(pattern), envelope))

    def _targets(self, rule: "DescribeRuleResponseTypeDef") -> Iterator[Finding]:
        answer = self._events.list_targets_by_rule(Rule=self._names.rule, EventBusName=self._names.bus)
        queue_arn = queue_arn_beside(rule["Arn"], self._names)
        found = [target["Arn"] for target in answer.get("Targets", ())]
        for target in answer.get("Targets", ()):
            if target["Arn"] == queue_arn and any(target.get(name) for name in CHANGES_TO_EVENTS):
                yield Finding(
                    RouteComponent.TARGET,
                    "the rule's target changes events",
                    f"the target {target['Id']} has one of {', '.join(CHANGES_TO_EVENTS)}",
                    "Remove them: consumers expect the whole event.",
                )
        if queue_arn not in found:
            yield Finding(
                RouteComponent.TARGET,
                f"the queue {self._names.queue} is no target of the rule {self._names.rule}",
                f"the rule's targets are {', '.join(found) or 'none'}",
                f"Run `{self._names.provision_command}`; it adds the target where the rule has none of its "
                "name.",
            )


class RouteDiagnosis:
    """Checks bus, rule, target, queue policy and key; changes nothing and sends nothing."""

    def __init__(
        self, events: "EventBridgeClient", sqs: "SQSClient", kms: "KMSClient", names: RouteNames
    ) -> None:
        self._bus = BusDiagnosis(events, names)
        feed = Feed("EventBridge", EVENTBRIDGE, partial(rule_arn, names=names))
        self._queue = QueueDiagnosis(sqs, kms, names, feed)

    def findings(self) -> tuple[Finding, ...]:
        """List the faults; a missing bus or queue ends the check."""
        found = self._bus.findings()
        if any(finding.proven and finding.component is RouteComponent.BUS for finding in found):
            return found
        return (*found, *self._queue.findings())


def _sample_envelope(names: RouteNames, rule: str) -> dict[str, object]:
    """Build the test event's envelope as the rule sees it."""
    event = route_test_event(utc_now(), names.kind)
    _, _, _, region, account, _ = rule.split(":", 5)
    return {
        "version": "0",
        "id": str(event.interaction_id),
        "detail-type": event.DETAIL_TYPE,
        "source": names.source,
        "account": account,
        "time": event.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [TEST_EVENT_LABEL],
        "detail": event.model_dump(mode="json"),
    }
