"""The heartbeat of a worker: leases are renewed, and their loss is noticed."""

import logging
from collections.abc import Iterator

import pytest

from domain.model.jobs import JobLease
from domain.services.jobs.failures import CANCELLED
from domain.services.jobs.heartbeat import LeaseHeartbeat
from tests.support.harness.jobs import JobHarness
from tests.support.harness.service import wait_until


@pytest.fixture
def lease(harness: JobHarness) -> JobLease:
    harness.submit()
    return harness.claim()


@pytest.fixture
def beating(harness: JobHarness) -> Iterator[LeaseHeartbeat]:
    """A heartbeat that renews as often as it can."""
    heartbeat = LeaseHeartbeat(harness.jobs, renew_seconds=0.001, clock=harness.clock)
    heartbeat.start()
    yield heartbeat
    heartbeat.stop()


def lease_until(harness: JobHarness, lease: JobLease) -> float:
    return harness.jobs._jobs[lease.job.id].lease_until


def test_a_lease_is_renewed_for_as_long_as_it_is_held(
    harness: JobHarness, lease: JobLease, beating: LeaseHeartbeat
) -> None:
    lost: list[str] = []
    beating.hold(lease, lambda: lost.append("lost"))
    for _ in range(3):
        harness.clock.advance(30)
        wait_until(lambda: lease_until(harness, lease) == harness.clock() + 40)

    beating.release(lease)
    assert not beating.holds(lease.job.id)
    assert lost == []


@pytest.mark.parametrize("reason", ["cancelled", "taken over"])
def test_a_lost_lease_is_reported_once(
    harness: JobHarness, lease: JobLease, beating: LeaseHeartbeat, reason: str
) -> None:
    lost: list[str] = []
    if reason == "cancelled":
        harness.jobs.cancel(lease.job.id, CANCELLED, None)
    else:
        harness.clock.advance(40)
        harness.claim()

    beating.hold(lease, lambda: lost.append("lost"))
    wait_until(lambda: lost)

    assert not beating.holds(lease.job.id)
    assert lost == ["lost"]


def test_a_cancelled_job_is_noticed_at_once_where_the_bell_rings(
    harness: JobHarness, lease: JobLease
) -> None:
    heartbeat, lost = LeaseHeartbeat(harness.jobs, renew_seconds=3600), list[str]()
    heartbeat.start()
    heartbeat.hold(lease, lambda: lost.append("lost"))
    harness.jobs.cancel(lease.job.id, CANCELLED, None)

    heartbeat.renew_now()

    wait_until(lambda: lost)
    heartbeat.stop()


def test_the_loss_of_one_lease_leaves_the_others(
    harness: JobHarness, lease: JobLease, beating: LeaseHeartbeat
) -> None:
    harness.submit()
    other, lost = harness.claim(), list[str]()
    beating.hold(lease, lambda: lost.append("first"))
    beating.hold(other, lambda: lost.append("second"))

    harness.jobs.cancel(lease.job.id, CANCELLED, None)
    wait_until(lambda: lost)

    assert (lost, beating.holds(other.job.id)) == (["first"], True)


def test_an_outage_loses_no_lease(
    harness: JobHarness, lease: JobLease, beating: LeaseHeartbeat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    lost: list[str] = []
    harness.jobs.go_away()
    beating.hold(lease, lambda: lost.append("lost"))
    wait_until(lambda: "leases of jobs not renewed, retrying" in caplog.messages)
    harness.clock.advance(90)
    assert not beating.is_current

    harness.jobs.come_back()

    wait_until(lambda: beating.is_current)
    assert lease_until(harness, lease) == harness.clock() + 40
    assert lost == []


def test_leases_of_a_process_that_was_stopped_are_not_current(harness: JobHarness) -> None:
    heartbeat = LeaseHeartbeat(harness.jobs, clock=harness.clock)
    assert heartbeat.is_current

    harness.clock.advance(30)

    assert not heartbeat.is_current


def test_a_second_lease_of_a_job_makes_the_first_one_stale(harness: JobHarness, lease: JobLease) -> None:
    heartbeat, lost = LeaseHeartbeat(harness.jobs), list[str]()
    heartbeat.hold(lease, lambda: lost.append("first"))
    harness.clock.advance(40)
    second = harness.claim()

    heartbeat.hold(second, lambda: lost.append("second"))
    heartbeat.release(lease)

    assert (lost, heartbeat.holds(lease.job.id)) == (["first"], True)
    heartbeat.release(second)
    assert not heartbeat.holds(lease.job.id)


def test_an_unexpected_error_does_not_end_the_renewals(
    harness: JobHarness, lease: JobLease, beating: LeaseHeartbeat, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("unexpected")

    harness.jobs.cancel(lease.job.id, CANCELLED, None)
    beating.hold(lease, fail)
    wait_until(lambda: "unexpected error while renewing the leases of jobs" in caplog.messages)
    harness.submit()
    other = harness.claim()
    harness.clock.advance(30)

    beating.hold(other, fail)

    wait_until(lambda: lease_until(harness, other) == harness.clock() + 40)


def test_leases_are_not_renewed_while_the_event_loop_hangs(
    harness: JobHarness, lease: JobLease, caplog: pytest.LogCaptureFixture
) -> None:
    heartbeat = LeaseHeartbeat(harness.jobs, renew_seconds=0.001, clock=harness.clock)
    heartbeat.beat()
    heartbeat.hold(lease, lambda: None)
    before = lease_until(harness, lease)
    harness.clock.advance(30)
    heartbeat.start()

    wait_until(lambda: "leases of jobs not renewed, the event loop does not answer" in caplog.messages)
    assert lease_until(harness, lease) == before
    heartbeat.beat()
    wait_until(lambda: lease_until(harness, lease) == harness.clock() + 40)
    heartbeat.stop()
