"""The rule of the route, and its target."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws.route.definition import event_pattern
from adapters.aws.route.drift import rule_differences, target_differences
from adapters.aws.route.resource import ManagedResource
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
    from adapters.aws.route.patience import Patience


class RouteRule(ManagedResource["DescribeRuleResponseTypeDef"]):
    """The rule that takes our events off the bus."""

    def __init__(self, events: "EventBridgeClient", route: "Route", patience: "Patience") -> None:
        super().__init__(RouteComponent.RULE, route.names.rule, f"the rule {route.names.rule}")
        self._events = events
        self._bus = route.names.bus
        self._pattern = event_pattern(route.names)
        self._patience = patience

    def find(self) -> "DescribeRuleResponseTypeDef | None":
        """Look it up on the bus."""
        try:
            return self._events.describe_rule(Name=self.name, EventBusName=self._bus)
        except self._events.exceptions.ResourceNotFoundException:
            return None

    def create(self) -> bool:
        """Put it there, enabled; the same rule put twice at once is one rule."""
        self._patience(
            lambda: self._events.put_rule(
                Name=self.name, EventBusName=self._bus, EventPattern=self._pattern, State="ENABLED"
            )
        )
        return True

    def differences(self, found: "DescribeRuleResponseTypeDef") -> Iterable[Drift]:
        """Pattern and state."""
        return rule_differences(self._pattern, found)

    def mend(
        self,
        found: "DescribeRuleResponseTypeDef",
        differences: Sequence[Drift],  # noqa: ARG002 - a rule is put whole
    ) -> None:
        """Put it again; whatever is not given anew would be gone."""
        rule: PutRuleRequestTypeDef = {
            "Name": self.name,
            "EventBusName": self._bus,
            "EventPattern": self._pattern,
            "State": "ENABLED",
            "Description": found.get("Description", ""),
        }
        if found.get("RoleArn"):
            rule["RoleArn"] = found["RoleArn"]
        self._patience(lambda: self._events.put_rule(**rule))

    def delete(self, found: "DescribeRuleResponseTypeDef") -> str:  # noqa: ARG002 - it is told by its name
        """Delete it, unless others have targets at it."""
        targets = self._events.list_targets_by_rule(Rule=self.name, EventBusName=self._bus).get("Targets", ())
        if targets:
            return f"it sends to {', '.join(target['Arn'] for target in targets)} as well"
        self._patience(lambda: self._events.delete_rule(Name=self.name, EventBusName=self._bus))
        return ""

    def state_of(self, found: "DescribeRuleResponseTypeDef") -> str:
        """Enabled or disabled."""
        return found["State"]


class RuleTarget(ManagedResource["TargetOutputTypeDef"]):
    """The queue as the target of the rule."""

    def __init__(self, events: "EventBridgeClient", route: "Route", patience: "Patience") -> None:
        self._wanted = route.target
        title = f"the target of the rule {route.names.rule}"
        super().__init__(RouteComponent.TARGET, self._wanted["Id"], title)
        self._events = events
        self._rule = route.names.rule
        self._bus = route.names.bus
        self._patience = patience

    def find(self) -> "TargetOutputTypeDef | None":
        """The target that sends to our queue, or else the one that bears our name."""
        targets = self._targets()
        ours = [target for target in targets if target["Arn"] == self._wanted["Arn"]]
        ours += [target for target in targets if target["Id"] == self._wanted["Id"]]
        return ours[0] if ours else None

    def others(self) -> tuple[str, ...]:
        """Where else the rule sends."""
        ours = self.find()
        return tuple(
            target["Arn"] for target in self._targets() if ours is None or target["Id"] != ours["Id"]
        )

    def create(self) -> bool:
        """Add it to the rule; the same target put twice at once is one target."""
        self._patience(lambda: self._put(self._wanted["Id"]))
        return True

    def differences(self, found: "TargetOutputTypeDef") -> Iterable[Drift]:
        """Where it sends to, and how."""
        return target_differences(self._wanted, found)

    def mend(
        self,
        found: "TargetOutputTypeDef",
        differences: Sequence[Drift],  # noqa: ARG002 - a target is put whole
    ) -> None:
        """Put it again, as it is wanted."""
        self._patience(lambda: self._put(found["Id"]))

    def delete(self, found: "TargetOutputTypeDef") -> str:
        """Take it from the rule."""
        self._patience(lambda: self._take(found["Id"]))
        return ""

    def name_of(self, found: "TargetOutputTypeDef") -> str:
        """Its id, which may be another than ours where somebody added our queue by hand."""
        return found["Id"]

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

    def _take(self, name: str) -> None:
        answer = self._events.remove_targets(Rule=self._rule, EventBusName=self._bus, Ids=[name])
        raise_failed_entries(answer, "RemoveTargets")


def raise_failed_entries(
    answer: "PutTargetsResponseTypeDef | RemoveTargetsResponseTypeDef", operation: str
) -> None:
    """An answer of 200 may hold failures; they are errors like any other."""
    for entry in answer.get("FailedEntries", ()):
        code, message = entry.get("ErrorCode", ""), entry.get("ErrorMessage", "")
        raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
