import logging
from collections.abc import Iterator, Sequence

import pytest

from domain.model.route.route import Finding, RouteComponent
from domain.services.relay.route_guard import REQUIRED, RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from tests.support.doubles.delivery import SimulatedTime


def broken(component: RouteComponent = RouteComponent.BUS, *, proven: bool = True) -> Finding:
    return Finding(component, f"the {component} is missing", "it was looked for", "create it", proven)


class Route:
    """Route with the findings that the test sets; counts its checks."""

    def __init__(self, *findings: Finding) -> None:
        self.findings: Sequence[Finding] = findings
        self.checks = 0

    def __call__(self) -> Sequence[Finding]:
        self.checks += 1
        return self.findings


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker()


def test_nothing_leaves_before_the_route_was_checked(breaker: CircuitBreaker) -> None:
    route = Route()

    guard = RouteGuard([route], breaker, clock=SimulatedTime())
    assert breaker.held == "the event route has not been checked yet"
    assert route.checks == 0

    assert guard.is_sound()
    assert not breaker.is_open


@pytest.mark.parametrize("component", sorted(REQUIRED))
def test_what_makes_the_bus_drop_events_holds_them_back(
    breaker: CircuitBreaker, component: RouteComponent
) -> None:
    assert not RouteGuard([Route(broken(component))], breaker, clock=SimulatedTime()).is_sound()

    assert breaker.held == f"the {component} is missing"


@pytest.mark.parametrize(
    "finding",
    [broken(proven=False), broken(RouteComponent.CONSUMER), broken(RouteComponent.DEAD_LETTER_QUEUE)],
    ids=str,
)
def test_what_is_not_proven_or_lies_beyond_the_target_holds_nothing_back(
    breaker: CircuitBreaker, finding: Finding
) -> None:
    assert RouteGuard([Route(finding)], breaker, clock=SimulatedTime()).is_sound()

    assert not breaker.is_open


def test_a_sound_route_is_checked_from_time_to_time_and_a_broken_one_more_often(
    breaker: CircuitBreaker,
) -> None:
    route, clock = Route(), SimulatedTime()
    guard = RouteGuard([route], breaker, every_seconds=60, broken_every_seconds=10, clock=clock)

    for _ in range(600):
        assert guard.is_sound()
        clock.at += 1
    assert route.checks == 10

    route.findings = [broken()]
    for _ in range(60):
        guard.is_sound()
        clock.at += 1
    assert route.checks == 16


def test_events_leave_again_once_the_route_is_mended(breaker: CircuitBreaker) -> None:
    route, clock = Route(broken()), SimulatedTime()
    guard = RouteGuard([route], breaker, broken_every_seconds=10, clock=clock)
    assert not guard.is_sound()

    route.findings = []
    assert not guard.is_sound()
    clock.at += 10

    assert guard.is_sound()
    assert not breaker.is_open


def test_the_state_is_logged_when_it_changes_and_not_each_time(
    breaker: CircuitBreaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    route, clock = Route(), SimulatedTime()
    guard = RouteGuard([route], breaker, every_seconds=1, broken_every_seconds=1, clock=clock)

    for findings in ([], [], [broken()], [broken()], [broken(RouteComponent.RULE)], [], []):
        route.findings = findings
        guard.is_sound()
        clock.at += 1

    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "events are held back"),
        ("ERROR", "events are held back"),
        ("INFO", "route restored, events are sent again"),
    ]
    assert vars(caplog.records[0])["error"] == "the bus is missing"
    assert vars(caplog.records[0])["remedies"] == ["create it"]


@pytest.mark.parametrize("hidden", [RouteComponent.TOPIC, RouteComponent.SUBSCRIPTION])
def test_a_broken_filter_policy_lasts_while_topic_or_subscription_cannot_be_read(
    breaker: CircuitBreaker, hidden: RouteComponent
) -> None:
    route, clock = Route(broken(RouteComponent.FILTER_POLICY)), SimulatedTime()
    guard = RouteGuard([route], breaker, broken_every_seconds=10, clock=clock)
    assert not guard.is_sound()

    route.findings = [broken(hidden, proven=False)]
    clock.at += 10
    assert not guard.is_sound()

    route.findings = []
    clock.at += 10
    assert guard.is_sound()


def test_a_check_that_breaks_down_proves_nothing_and_is_logged(
    breaker: CircuitBreaker, caplog: pytest.LogCaptureFixture
) -> None:
    def defect() -> Sequence[Finding]:
        raise RuntimeError("a defect")

    assert RouteGuard([defect], breaker, clock=SimulatedTime()).is_sound()
    assert [record.message for record in caplog.records] == ["route check failed"]


@pytest.mark.parametrize(
    ("missing", "unseen"),
    [
        (RouteComponent.BUS, RouteComponent.BUS),
        (RouteComponent.RULE, RouteComponent.RULE),
        (RouteComponent.PATTERN, RouteComponent.RULE),
        (RouteComponent.TARGET, RouteComponent.RULE),
        (RouteComponent.TARGET, RouteComponent.TARGET),
    ],
)
def test_a_check_that_fails_does_not_show_that_what_was_missing_is_there(
    breaker: CircuitBreaker, missing: RouteComponent, unseen: RouteComponent, caplog: pytest.LogCaptureFixture
) -> None:
    route, clock = Route(broken(missing)), SimulatedTime()
    guard = RouteGuard([route], breaker, broken_every_seconds=10, clock=clock)
    assert not guard.is_sound()

    for findings in (
        [broken(unseen, proven=False)],
        [broken(unseen, proven=False), broken(RouteComponent.QUEUE)],
    ):
        route.findings = findings
        clock.at += 10
        assert not guard.is_sound()
    assert breaker.held == f"the {missing} is missing"
    assert [record.message for record in caplog.records] == ["events are held back"]

    route.findings = []
    clock.at += 10
    assert guard.is_sound()


def test_what_is_seen_to_be_sound_is_no_longer_missing_although_other_parts_cannot_be_seen(
    breaker: CircuitBreaker,
) -> None:
    route, clock = Route(broken(RouteComponent.RULE)), SimulatedTime()
    guard = RouteGuard([route], breaker, broken_every_seconds=10, clock=clock)
    assert not guard.is_sound()

    route.findings = [broken(RouteComponent.BUS, proven=False), broken(RouteComponent.TARGET, proven=False)]
    clock.at += 10

    assert guard.is_sound()


def test_a_check_that_breaks_down_does_not_end_a_hold(breaker: CircuitBreaker) -> None:
    answers: Iterator[Sequence[Finding] | None] = iter([[broken()], None, []])
    clock = SimulatedTime()

    def check() -> Sequence[Finding]:
        answer = next(answers)
        if answer is None:
            raise RuntimeError("a defect")
        return answer

    guard, sound = RouteGuard([check], breaker, broken_every_seconds=10, clock=clock), []
    for _ in range(3):
        sound.append(guard.is_sound())
        clock.at += 10

    assert sound == [False, False, True]


def test_a_route_that_could_not_be_seen_is_checked_again_soon(breaker: CircuitBreaker) -> None:
    route, clock = Route(broken(proven=False)), SimulatedTime()
    guard = RouteGuard([route], breaker, every_seconds=60, broken_every_seconds=10, clock=clock)
    assert guard.is_sound()

    route.findings = [broken()]
    clock.at += 10

    assert not guard.is_sound()


def test_every_route_is_checked_and_the_broken_one_holds_events_back(breaker: CircuitBreaker) -> None:
    completed, failed, clock = Route(), Route(broken(RouteComponent.RULE)), SimulatedTime()
    guard = RouteGuard([completed, failed], breaker, broken_every_seconds=10, clock=clock)

    assert not guard.is_sound()
    assert (completed.checks, failed.checks) == (1, 1)

    failed.findings = ()
    clock.at += 10
    assert guard.is_sound()


def test_a_route_that_cannot_be_checked_says_nothing_about_the_other(breaker: CircuitBreaker) -> None:
    completed, failed, clock = Route(broken(RouteComponent.RULE)), Route(), SimulatedTime()
    guard = RouteGuard([completed, failed], breaker, broken_every_seconds=10, clock=clock)
    assert not guard.is_sound()

    completed.findings, failed.findings = (), [broken(RouteComponent.RULE, proven=False)]
    clock.at += 10

    assert guard.is_sound()


def test_a_problem_of_both_routes_is_told_once(breaker: CircuitBreaker) -> None:
    RouteGuard([Route(broken()), Route(broken())], breaker, clock=SimulatedTime()).is_sound()

    assert breaker.held == "the bus is missing"
