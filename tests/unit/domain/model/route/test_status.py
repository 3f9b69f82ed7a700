"""Drift of a resource, and the plan of changes."""

from domain.model.route.route import Drift, RouteComponent
from domain.model.route.status import Action, Inspection, PlannedChange, QueueLoad, ResourceStatus

OURS = Drift("VisibilityTimeout", "30", "31")
THEIRS = Drift("Policy", "no further statement", "{}", ours=False)
SOUND = ResourceStatus(RouteComponent.QUEUE, "orders", exists=True)


def test_a_part_is_well_where_it_is_there_and_as_it_should_be() -> None:
    assert SOUND.ok
    assert not SOUND._replace(exists=False).ok
    assert not SOUND._replace(differences=(OURS,)).ok


def test_what_others_added_is_no_drift() -> None:
    assert SOUND._replace(differences=(THEIRS,)).ok
    assert Inspection((SOUND._replace(differences=(THEIRS,)),)).plan == ()


def test_what_could_not_be_looked_at_is_not_known_to_be_well_and_not_planned_for() -> None:
    hidden = SOUND._replace(exists=None, problem="AccessDenied")

    assert not hidden.ok
    assert Inspection((hidden,)).plan == ()
    assert not Inspection((SOUND, hidden)).ok


def test_what_nobody_asked_for_may_be_missing_or_hidden_but_not_wrong() -> None:
    unasked = ResourceStatus(RouteComponent.ARCHIVE, "archive", exists=False, expected=False)

    assert unasked.ok
    assert unasked._replace(exists=None).ok
    assert not unasked._replace(exists=True, differences=(OURS,)).ok
    assert Inspection((unasked,)).plan == ()


def test_a_plan_creates_what_is_missing_and_changes_what_is_ours() -> None:
    inspection = Inspection(
        (SOUND._replace(exists=False), SOUND._replace(differences=(THEIRS, OURS)), SOUND),
    )

    assert inspection.plan == (
        PlannedChange(Action.CREATE, RouteComponent.QUEUE, "orders"),
        PlannedChange(Action.CHANGE, RouteComponent.QUEUE, "orders", (OURS,)),
    )


def test_a_queue_is_empty_where_nothing_waits_and_nothing_is_in_flight() -> None:
    assert QueueLoad(0, 0).is_empty
    assert not QueueLoad(1, 0).is_empty
    assert not QueueLoad(0, 1).is_empty
