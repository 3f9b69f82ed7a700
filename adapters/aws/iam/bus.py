"""Statements of IAM policies for a bus of EventBridge with its rules, targets, archive and replays."""

from collections.abc import Iterator

from adapters.aws.iam.resources import PolicyResources
from adapters.aws.iam.statements import EVERYTHING, Statement, allow, targeting
from adapters.aws.route.definition import DEFAULT_BUS


def guarding_the_bus(on: PolicyResources) -> Iterator[Statement]:
    """Allow the route check; it does not read the default bus, which always exists."""
    if on.names.bus != DEFAULT_BUS:
        yield allow("RouteGuardReadsTheBus", ["events:DescribeEventBus"], [on.bus])
    actions = ["events:DescribeRule", "events:ListTargetsByRule"]
    yield allow("RouteGuardReadsTheRule", actions, on.rules)
    yield allow("RouteGuardTestsThePattern", ["events:TestEventPattern"], [EVERYTHING])


def reading_the_bus(on: PolicyResources) -> Iterator[Statement]:
    """Allow `status` and `verify`, and the ages of messages."""
    yield allow("ReadTheBus", ["events:DescribeEventBus"], [on.bus])
    yield allow("ReadTheRule", ["events:DescribeRule", "events:ListTargetsByRule"], on.rules)
    if on.names.archive:
        yield allow("ReadTheArchive", ["events:DescribeArchive"], [on.archive])
    unconfined = ["events:TestEventPattern", "events:ListRules", "cloudwatch:GetMetricData"]
    yield allow("ReadWithoutResourceTypes", unconfined, [EVERYTHING])


def managing_the_rules(on: PolicyResources) -> Iterator[Statement]:
    """Allow rules, targets and archive."""
    replay_rules = [on.route.replay_rules_arn] if on.names.archive else []
    yield allow("PutTheRule", ["events:PutRule"], on.rules)
    yield targeting(on.route, "SendToTheQueue", on.route.rule_arn)
    yield from _targeting_others(on)
    yield allow("RemoveRules", ["events:RemoveTargets", "events:DeleteRule"], [*on.rules, *replay_rules])
    yield from _archiving_events(on)


def _targeting_others(on: PolicyResources) -> Iterator[Statement]:
    for route in on.routes[1:]:
        yield targeting(route, f"SendToTheQueueOf{route.names.kind.title()}Events", route.rule_arn)


def _archiving_events(on: PolicyResources) -> Iterator[Statement]:
    if on.names.archive:
        yield allow("ReadTargetsOfReplays", ["events:ListTargetsByRule"], [on.route.replay_rules_arn])
        yield allow("KeepEvents", ["events:CreateArchive"], [on.archive, on.bus])
        yield allow("ManageTheArchive", ["events:UpdateArchive", "events:DeleteArchive"], [on.archive])


def replaying(on: PolicyResources) -> Iterator[Statement]:
    """Allow replays; `events:StartReplay` is checked on the archive, the bus and the replay's name."""
    if not on.names.archive:
        return
    yield allow("StartReplays", ["events:StartReplay"], [on.archive, on.bus, on.replays])
    yield allow("FollowReplays", ["events:DescribeReplay", "events:CancelReplay"], [on.replays])
    rules = on.route.replay_rules_arn
    actions = ["events:PutRule", "events:ListTargetsByRule", "events:RemoveTargets", "events:DeleteRule"]
    yield allow("ManageRulesOfReplays", actions, [rules])
    yield targeting(on.route, "SendReplaysToTheQueue", rules)
