"""Contract of the archive of events (`ports/event_infrastructure_port.py`)."""

import json

import pytest

from domain.model.errors import InfrastructureError
from domain.model.route.route import RouteComponent
from domain.model.route.status import Action, PlannedChange, RemovalOutcome
from tests.contracts.event_infrastructure.fixtures import ORDER, RouteFixtures
from tests.support.aws.routes import RouteOnAws


class ArchiveContract(RouteFixtures):
    """Bind `clients` and `names`, as `RouteFixtures` says."""

    def test_an_archive_is_created_once_and_keeps_our_events(self, absent: RouteOnAws) -> None:
        first = absent.infrastructure.provision(archive_days=7)
        again = absent.infrastructure.provision(archive_days=7)

        assert [resource.component for resource in first.resources] == [*ORDER, RouteComponent.ARCHIVE]
        assert [resource.created for resource in again.resources] == [False] * 5
        assert absent.archive()["RetentionDays"] == 7
        assert json.loads(absent.archive()["EventPattern"]) == json.loads(absent.rule()["EventPattern"])
        assert absent.archive()["EventSourceArn"].endswith(f"event-bus/{absent.names.bus}")
        assert absent.infrastructure.inspect(archive_days=7).ok

    def test_with_an_archive_rules_of_replays_may_send_too_and_nobody_else(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)

        for queue in (absent.names.queue, absent.names.dead_letter_queue):
            ours, replays = json.loads(absent.attributes(queue)["Policy"])["Statement"]
            arn = absent.rule()["Arn"]
            assert ours["Condition"] == {"ArnEquals": {"aws:SourceArn": arn}}
            stem = arn.removesuffix(absent.names.rule) + absent.names.rule[:32]
            assert replays["Condition"] == {"ArnLike": {"aws:SourceArn": f"{stem}-replay-*"}}
            assert replays["Principal"] == {"Service": "events.amazonaws.com"}
            assert replays["Resource"] == absent.attributes(queue)["QueueArn"]

    def test_an_archive_for_a_route_without_one_takes_a_repair_to_admit_its_replays(
        self, route: RouteOnAws
    ) -> None:
        provisioning = route.infrastructure.provision(archive_days=0)

        assert [resource.component for resource in provisioning.resources if resource.created] == [
            RouteComponent.ARCHIVE
        ]
        assert [d.attribute for d in provisioning.resources[1].differences] == ["Policy"]
        assert not route.infrastructure.inspect(archive_days=0).ok
        route.infrastructure.repair(archive_days=0)
        assert route.infrastructure.inspect(archive_days=0).ok
        assert route.infrastructure.inspect().ok, "an archive that is not configured is no drift"

    def test_an_archive_that_drifted_is_told_and_mended(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)
        absent.clients.events.update_archive(
            ArchiveName=absent.names.archive, EventPattern='{"source": ["x"]}', RetentionDays=9
        )

        archive = absent.infrastructure.inspect(archive_days=7).resources[-1]
        assert [difference.attribute for difference in archive.drift] == ["EventPattern", "RetentionDays"]
        absent.infrastructure.repair(archive_days=7)
        assert absent.archive()["RetentionDays"] == 7
        assert absent.infrastructure.inspect(archive_days=7).ok

    def test_retention_is_no_drift_where_none_is_configured(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)

        inspection = absent.infrastructure.inspect()

        assert inspection.ok
        assert inspection.resources[-1].state == "ENABLED, keeps 7 days, 0 events"

    def test_an_archive_that_is_wanted_and_missing_is_to_be_created(self, route: RouteOnAws) -> None:
        assert (
            PlannedChange(Action.CREATE, RouteComponent.ARCHIVE, route.names.archive)
            in route.infrastructure.inspect(archive_days=7).plan
        )

    def test_an_archive_of_another_bus_is_told_and_never_changed(self, route: RouteOnAws) -> None:
        other_bus = f"{route.names.rule}-other"
        arn = route.clients.events.create_event_bus(Name=other_bus)["EventBusArn"]
        route.clients.events.create_archive(ArchiveName=route.names.archive, EventSourceArn=arn)

        differences = route.infrastructure.inspect(archive_days=7).resources[-1].differences
        assert "EventSourceArn" in {difference.attribute for difference in differences}
        with pytest.raises(InfrastructureError, match=f"{other_bus}.*choose another ARCHIVE_NAME"):
            route.infrastructure.repair(archive_days=7)
        assert "EventPattern" not in route.archive()
        assert route.infrastructure.remove(archive=True)[-2].outcome is RemovalOutcome.LEFT

    def test_an_archive_is_left_unless_it_is_to_go_too(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)

        left = absent.infrastructure.remove()
        gone = absent.infrastructure.remove(archive=True)

        assert [(r.component, r.outcome) for r in left[-2:]] == [
            (RouteComponent.ARCHIVE, RemovalOutcome.LEFT),
            (RouteComponent.BUS, RemovalOutcome.LEFT),
        ]
        assert [(r.component, r.outcome) for r in gone[-2:]] == [
            (RouteComponent.ARCHIVE, RemovalOutcome.REMOVED),
            (RouteComponent.BUS, RemovalOutcome.LEFT),
        ]
