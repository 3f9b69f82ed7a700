"""Rules that replays of one tenant create, and their removal.

A replay can be restricted to rules, but not to events. Therefore a replay of one tenant creates a rule of its
own, which matches only the events of that replay by its name. Rule and replay have the same name.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.route.definition import Route, replay_prefix, wanted_events
from adapters.aws.route.rules import raise_failed_entries
from domain.model.replays import SETTLE_SECONDS, ReplayState
from domain.model.route.route import RouteNames

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

MOMENT = "%Y%m%dT%H%M%S"
SETTLES_AFTER = timedelta(seconds=SETTLE_SECONDS)
ABANDONED_AFTER = timedelta(hours=1)
"""Age from which a rule without a replay is abandoned; a younger one may be about to get its replay."""


def new_name(names: RouteNames, now: datetime) -> str:
    """Create a unique name for a replay, which includes the time."""
    return f"{replay_prefix(names)}{now.astimezone(UTC).strftime(MOMENT)}-{uuid4().hex[:8]}"


class ReplayRules:
    """The rules on our bus whose names have the prefix of our replays."""

    def __init__(self, events: "EventBridgeClient", names: RouteNames) -> None:
        self._events = events
        self._names = names

    def create(self, name: str, route: Route, tenant_id: UUID) -> str:
        """Create the rule for one tenant's events of the replay; return its ARN."""
        pattern = {
            **wanted_events(self._names),
            "detail": {"tenant_id": [str(tenant_id)]},
            "replay-name": [name],
        }
        arn = self._events.put_rule(
            Name=name,
            EventBusName=self._names.bus,
            EventPattern=json.dumps(pattern),
            State="ENABLED",
            Description="Rule of a replay of one tenant; `transcripts replay` removes it afterwards.",
        )["RuleArn"]
        answer = self._events.put_targets(Rule=name, EventBusName=self._names.bus, Targets=[route.target])
        raise_failed_entries(answer, "PutTargets")
        return arn

    def remove(self, name: str) -> None:
        """Remove the rule of a replay, if it exists."""
        bus = self._names.bus
        try:
            targets = self._events.list_targets_by_rule(Rule=name, EventBusName=bus).get("Targets", ())
            if targets:
                ids = [target["Id"] for target in targets]
                raise_failed_entries(
                    self._events.remove_targets(Rule=name, EventBusName=bus, Ids=ids), "RemoveTargets"
                )
            self._events.delete_rule(Name=name, EventBusName=bus)
        except self._events.exceptions.ResourceNotFoundException:
            return

    def remove_all(self) -> None:
        """Remove all rules, even those of running replays."""
        for name in self._names_found():
            self.remove(name)

    def remove_those_over(self, now: datetime) -> tuple[str, ...]:
        """Remove the rules of replays that ended a while ago; return their names."""
        with translate_infrastructure_errors("removing the rules of replays that are over"):
            over = [name for name in self._names_found() if self._is_over(name, now)]
            for name in over:
                self.remove(name)
        return tuple(over)

    def _names_found(self) -> list[str]:
        pages = self._events.get_paginator("list_rules").paginate(
            EventBusName=self._names.bus, NamePrefix=replay_prefix(self._names)
        )
        return [rule["Name"] for page in pages for rule in page["Rules"]]

    def _is_over(self, name: str, now: datetime) -> bool:
        try:
            replay = self._events.describe_replay(ReplayName=name)
        except self._events.exceptions.ResourceNotFoundException:
            return now - self._begun(name, now) > ABANDONED_AFTER
        is_settled = now - replay.get("ReplayEndTime", now - SETTLES_AFTER) >= SETTLES_AFTER
        return is_settled and ReplayState(replay["State"].lower()).is_over

    def _begun(self, name: str, now: datetime) -> datetime:
        moment = name.removeprefix(replay_prefix(self._names)).partition("-")[0]
        try:
            return datetime.strptime(moment, MOMENT).replace(tzinfo=UTC)
        except ValueError:  # not one of our names
            return now
