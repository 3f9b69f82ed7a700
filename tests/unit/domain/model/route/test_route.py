"""Default names of the route, and the results that count as success."""

from uuid import uuid4

from domain.model.route.route import (
    Finding,
    ProvisioningReport,
    RouteComponent,
    RouteNames,
    Verification,
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
