"""Rules that replays of one tenant create, and their removal.

A replay can be restricted to rules, but not to events. Therefore a replay of one tenant creates a rule of its
own, which matches only the events of that replay by its name. Rule and replay have the same name.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid4

from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.route.definition import Route, replay_prefix, wanted_events
from adapters.aws.route.queue_pair import queue_arn_beside
from adapters.aws.route.rules import raise_failed_entries
from domain.model.replays import SETTLE_SECONDS, ReplayState
from domain.model.route.route import RouteNames

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

MOMENT = "%Y%m%dT%H%M%S"
REST = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{8}")
"""Rest of the name of a replay after its prefix: the time, and a random number."""
SETTLES_AFTER = timedelta(seconds=SETTLE_SECONDS)
ABANDONED_AFTER = timedelta(hours=1)
"""Age from which a rule without a replay is abandoned; a younger one may be about to get its replay."""


def new_name(names: RouteNames, now: datetime) -> str:
    """Create a unique name for a replay, which includes the time."""
    return f"{replay_prefix(names)}{now.astimezone(UTC).strftime(MOMENT)}-{uuid4().hex[:8]}"


class _Found(NamedTuple):
    name: str
    queue_arn: str  # of our queue, in the rule's account and region


class ReplayRules:
    """The rules of our replays: named by `new_name`, and with our queue as the target.

    The creation of one without a target was interrupted. Rules that others made may have names with the same
    prefix, and so do those of another route whose long rule name has the same first characters.
    """

    def __init__(self, events: "EventBridgeClient", names: RouteNames) -> None:
        self._events = events
        self._names = names
        self._prefix = replay_prefix(names)

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

    def clean_up(self, name: str) -> None:
        """Remove the rule of one replay, if it has one."""
        if self._is_named_like_ours(name):
            for rule in self._found(name):
                self.remove(*rule)

    def remove(self, name: str, queue_arn: str) -> bool:
        """Remove the rule, if it exists; return False where it is left because of targets of others."""
        bus = self._names.bus
        try:
            targets = self._events.list_targets_by_rule(Rule=name, EventBusName=bus).get("Targets", ())
            ours = [target["Id"] for target in targets if target["Arn"] == queue_arn]
            if ours:
                answer = self._events.remove_targets(Rule=name, EventBusName=bus, Ids=ours)
                raise_failed_entries(answer, "RemoveTargets")
            if len(ours) < len(targets):
                return False
            self._events.delete_rule(Name=name, EventBusName=bus)
        except self._events.exceptions.ResourceNotFoundException:
            pass  # another process removed it
        return True

    def remove_all(self) -> None:
        """Remove the rules of all our replays, even of running ones."""
        for rule in self._found(self._prefix):
            self.remove(*rule)

    def remove_those_over(self, now: datetime) -> tuple[str, ...]:
        """Remove the rules of our replays that ended a while ago; return their names."""
        with translate_infrastructure_errors("removing the rules of replays that are over"):
            over = [rule for rule in self._found(self._prefix) if self._is_over(rule.name, now)]
            return tuple(rule.name for rule in over if self.remove(*rule))

    def _found(self, prefix: str) -> list[_Found]:
        """List rules named like those of our replays."""
        pages = self._events.get_paginator("list_rules").paginate(
            EventBusName=self._names.bus, NamePrefix=prefix
        )
        rules = [rule for page in pages for rule in page["Rules"] if self._is_named_like_ours(rule["Name"])]
        return [_Found(rule["Name"], queue_arn_beside(rule["Arn"], self._names)) for rule in rules]

    def _is_named_like_ours(self, name: str) -> bool:
        return name.startswith(self._prefix) and bool(REST.fullmatch(name.removeprefix(self._prefix)))

    def _is_over(self, name: str, now: datetime) -> bool:
        try:
            replay = self._events.describe_replay(ReplayName=name)
        except self._events.exceptions.ResourceNotFoundException:
            return now - self._begun(name, now) > ABANDONED_AFTER
        is_settled = now - replay.get("ReplayEndTime", now - SETTLES_AFTER) >= SETTLES_AFTER
        return is_settled and ReplayState(replay["State"].lower()).is_over

    def _begun(self, name: str, now: datetime) -> datetime:
        moment = name.removeprefix(self._prefix).partition("-")[0]
        try:
            return datetime.strptime(moment, MOMENT).replace(tzinfo=UTC)
        except ValueError:  # digits that are no time, such as a month 13: not one of our names
            return now
