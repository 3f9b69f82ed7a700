"""The names of the route, and what counts as well."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.model.events.event import BatchProcessingCompleted
from domain.model.route.route import (
    Finding,
    ProvisioningReport,
    RouteComponent,
    RouteNames,
    Verification,
    route_test_event,
)

PROVEN = Finding(RouteComponent.RULE, "problem", "evidence", "remedy")
UNPROVEN = PROVEN._replace(proven=False)


def test_the_names_are_the_requirements() -> None:
    assert RouteNames() == RouteNames(
        bus="default",
        rule="capture-transcripts-rule",
        queue="meeting-transcripts-queue",
        dead_letter_queue="meeting-transcripts-dlq",
        source="com.yourapp.transcription",
    )


def test_provisioning_is_well_unless_something_is_proven_to_be_broken() -> None:
    assert ProvisioningReport((), "q", "d", "r").ok
    assert ProvisioningReport((), "q", "d", "r", (UNPROVEN,)).ok
    assert not ProvisioningReport((), "q", "d", "r", (UNPROVEN, PROVEN)).ok


def test_a_verification_is_well_only_if_the_event_arrived_and_nothing_was_found() -> None:
    assert Verification(uuid4(), arrived=True, seconds=1, messages_seen=1).ok
    assert not Verification(uuid4(), arrived=False, seconds=30, messages_seen=0).ok
    assert not Verification(uuid4(), arrived=True, seconds=1, messages_seen=1, findings=(UNPROVEN,)).ok


def test_a_test_event_keeps_the_schema_and_is_never_the_same_twice() -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    first, second = route_test_event(moment), route_test_event(moment)

    assert BatchProcessingCompleted.model_validate_json(first.to_json()) == first
    assert {first.interaction_id, first.tenant_id}.isdisjoint({second.interaction_id, second.tenant_id})
