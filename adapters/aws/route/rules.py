"""The rule of the route and its target."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws.route.definition import event_pattern
from adapters.aws.route.drift import rule_differences, target_differences
from adapters.aws.route.resource import ManagedResource, retry_transient
from domain.model.route.route import Drift, RouteComponent

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import (
        DescribeRuleResponseTypeDef,
        PutRuleRequestTypeDef,
        PutTargetsResponseTypeDef,
        RemoveTargetsResponseTypeDef,
        TargetOutputTypeDef,
    )

    from adapters.aws.route.definition import Route


class RouteRule(ManagedResource["DescribeRuleResponseTypeDef"]):
    """The rule that matches our events on the bus."""

    def __init__(self, events: "EventBridgeClient", route: "Route", pause: Callable[[float], None]) -> None:
        super().__init__(RouteComponent.RULE, route.names.rule, f"the rule {route.names.rule}", pause)
        self._events = events
        self._bus = route.names.bus
        self._pattern = event_pattern(route.names)

    def find(self) -> "DescribeRuleResponseTypeDef | None":
        """Describe the rule on its bus."""
        try:
            return self._events.describe_rule(Name=self.name, EventBusName=self._bus)
        except self._events.exceptions.ResourceNotFoundException:
            return None

    def create(self) -> bool:
        """Put the rule, enabled; putting the same rule twice at once makes one rule."""
        retry_transient(
            lambda: self._events.put_rule(
                Name=self.name, EventBusName=self._bus, EventPattern=self._pattern, State="ENABLED"
            ),
            self._pause,
        )
        return True

    def differences(self, found: "DescribeRuleResponseTypeDef") -> Iterable[Drift]:
        """Compare pattern and state."""
        return rule_differences(self._pattern, found)

    def apply(
        self,
        found: "DescribeRuleResponseTypeDef",
        differences: Sequence[Drift],  # noqa: ARG002 - a rule is put whole
    ) -> None:
        """Put the rule again; PutRule clears each field that is not given."""
        rule: PutRuleRequestTypeDef = {
            "Name": self.name,
            "EventBusName": self._bus,
            "EventPattern": self._pattern,
            "State": "ENABLED",
            "Description": found.get("Description", ""),
        }
        if found.get("RoleArn"):
            rule["RoleArn"] = found["RoleArn"]
        retry_transient(lambda: self._events.put_rule(**rule), self._pause)

    def delete(self, found: "DescribeRuleResponseTypeDef") -> str:  # noqa: ARG002 - rules are deleted by name
        """Delete the rule, unless it has targets of others."""
        targets = self._events.list_targets_by_rule(Rule=self.name, EventBusName=self._bus).get("Targets", ())
        if targets:
            return f"it sends to {', '.join(target['Arn'] for target in targets)} as well"
        retry_transient(lambda: self._events.delete_rule(Name=self.name, EventBusName=self._bus), self._pause)
        return ""

    def state_of(self, found: "DescribeRuleResponseTypeDef") -> str:
        """Return ENABLED or DISABLED."""
        return found["State"]


class RuleTarget(ManagedResource["TargetOutputTypeDef"]):
    """The queue as the target of the rule."""

    def __init__(self, events: "EventBridgeClient", route: "Route", pause: Callable[[float], None]) -> None:
        self._wanted = route.target
        title = f"the target of the rule {route.names.rule}"
        super().__init__(RouteComponent.TARGET, self._wanted["Id"], title, pause)
        self._events = events
        self._rule = route.names.rule
        self._bus = route.names.bus

    def find(self) -> "TargetOutputTypeDef | None":
        """Find the target that sends to our queue, or else the one with our id."""
        return next(iter(self._ours()), None)

    def others(self) -> tuple[str, ...]:
        """List the ARNs of the rule's other targets."""
        ours = self.find()
        return tuple(
            target["Arn"] for target in self._targets() if ours is None or target["Id"] != ours["Id"]
        )

    def create(self) -> bool:
        """Add the target to the rule; putting the same target twice at once makes one target."""
        retry_transient(lambda: self._put(self._wanted["Id"]), self._pause)
        return True

    def differences(self, found: "TargetOutputTypeDef") -> Iterable[Drift]:
        """Compare destination, input, dead-letter queue and retries."""
        return target_differences(self._wanted, found)

    def apply(
        self,
        found: "TargetOutputTypeDef",
        differences: Sequence[Drift],  # noqa: ARG002 - a target is put whole
    ) -> None:
        """Put the target again as it should be."""
        retry_transient(lambda: self._put(found["Id"]), self._pause)

    def delete(self, found: "TargetOutputTypeDef") -> str:
        """Remove from the rule every target that sends to our queue: events for a removed queue are lost."""
        ids = {target["Id"] for target in (found, *self._ours())}
        retry_transient(lambda: self._take(sorted(ids)), self._pause)
        return ""

    def name_of(self, found: "TargetOutputTypeDef") -> str:
        """Return the target's id, which differs from ours where the queue was added by hand."""
        return found["Id"]

    def _ours(self) -> "list[TargetOutputTypeDef]":
        """List the targets that send to our queue, and then the one with our id."""
        targets = self._targets()
        to_our_queue = [target for target in targets if target["Arn"] == self._wanted["Arn"]]
        return to_our_queue + [target for target in targets if target["Id"] == self._wanted["Id"]]

    def _targets(self) -> "list[TargetOutputTypeDef]":
        try:
            answer = self._events.list_targets_by_rule(Rule=self._rule, EventBusName=self._bus)
        except self._events.exceptions.ResourceNotFoundException:
            return []
        return answer.get("Targets", [])

    def _put(self, name: str) -> None:
        target = self._wanted | {"Id": name}
        answer = self._events.put_targets(Rule=self._rule, EventBusName=self._bus, Targets=[target])
        raise_failed_entries(answer, "PutTargets")

    def _take(self, ids: Sequence[str]) -> None:
        answer = self._events.remove_targets(Rule=self._rule, EventBusName=self._bus, Ids=ids)
        raise_failed_entries(answer, "RemoveTargets")


def raise_failed_entries(
    answer: "PutTargetsResponseTypeDef | RemoveTargetsResponseTypeDef", operation: str
) -> None:
    """Raise an error for the first failure in a response of 200."""
    for entry in answer.get("FailedEntries", ()):
        code, message = entry.get("ErrorCode", ""), entry.get("ErrorMessage", "")
        raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
