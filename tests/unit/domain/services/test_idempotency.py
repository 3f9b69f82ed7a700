"""Idempotent requests, with a clock that the tests move, and rounds of renewal that they run."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import NoReturn
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryIdempotency
from domain.model.errors import (
    ConfigurationError,
    IdempotencyConflictError,
    IdempotencyInProgressError,
    IdempotencyUnavailableError,
)
from domain.model.idempotency import Answer, Reservation
from domain.model.identity import Identity, Interaction
from domain.services.idempotency import LEASE_SECONDS, RENEW_SECONDS, IdempotentRequests, LeaseRenewal
from tests.support.databases.databases import Clock
from tests.support.harness.service import wait_until

TENANT, SCOPE = uuid4(), uuid4()
ALICE = Identity(TENANT, "alice", None)


class CountingKeys(InMemoryIdempotency):
    """Store that records renewals, and can be unavailable."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.renewed: list[str] = []
        self.is_away = False

    def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
        if self.is_away:
            raise IdempotencyUnavailableError("the disk is full")
        self.renewed.append(reservation.key)
        return super().renew(reservation, lease_seconds=lease_seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> CountingKeys:
    return CountingKeys(clock)


@pytest.fixture
def requests(keys: CountingKeys) -> IdempotentRequests:
    return IdempotentRequests(lambda: keys)


@pytest.fixture
def leases(keys: CountingKeys) -> LeaseRenewal:
    return LeaseRenewal(lambda: keys)


def reserve(keys: CountingKeys, key: str = "key") -> Reservation:
    reservation = keys.begin(SCOPE, key, "recording", lease_seconds=LEASE_SECONDS)
    assert isinstance(reservation, Reservation)
    return reservation


def is_taken(keys: CountingKeys, key: str = "key") -> bool:
    try:
        keys.begin(SCOPE, key, "recording", lease_seconds=LEASE_SECONDS)
    except IdempotencyInProgressError:
        return True
    return False


def an_answer(text: str) -> Answer:
    return Answer(text, Interaction(uuid4(), ALICE.tenant_id, ALICE.user_id))


def answering(*answers: str) -> Callable[[], Awaitable[Answer]]:
    """Build work that returns each answer once, and fails afterwards."""
    remaining = iter(answers)

    async def work() -> Answer:
        return an_answer(next(remaining))

    return work


async def failing() -> Answer:
    raise KeyError


async def never() -> Answer:
    await asyncio.Event().wait()
    return an_answer("")


async def test_the_next_request_with_a_key_gets_the_first_answer(requests: IdempotentRequests) -> None:
    work = answering("first")

    assert await requests.once(ALICE, "key", "recording", work) == "first"
    assert await requests.once(ALICE, "key", "recording", work) == "first"


async def test_a_key_with_other_content_is_refused(requests: IdempotentRequests) -> None:
    await requests.once(ALICE, "key", "recording", answering("first"))

    with pytest.raises(IdempotencyConflictError):
        await requests.once(ALICE, "key", "other recording", answering("second"))


async def test_a_key_in_progress_is_refused_and_kept_by_renewals(
    requests: IdempotentRequests, clock: Clock
) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow() -> Answer:
        started.set()
        await release.wait()
        return an_answer("first")

    first = asyncio.create_task(requests.once(ALICE, "key", "recording", slow))
    await started.wait()
    for _ in range(4):
        with pytest.raises(IdempotencyInProgressError):
            await requests.once(ALICE, "key", "recording", answering("second"))
        clock.advance(LEASE_SECONDS - 1)
        requests.renew()
    release.set()

    assert await first == "first"


@pytest.mark.parametrize(
    "other",
    [
        Identity(uuid4(), "alice", None),
        Identity(TENANT, "bob", None),
        Identity(uuid4(), "alice", None, replaced_tenant="acme"),
        Identity(uuid4(), "alice", None, replaced_tenant=""),
    ],
)
async def test_another_tenant_or_user_has_other_keys(requests: IdempotentRequests, other: Identity) -> None:
    work = answering("first", "second")

    assert await requests.once(ALICE, "key", "recording", work) == "first"
    assert await requests.once(other, "key", "recording", work) == "second"


@pytest.mark.parametrize("named", ["", "acme", "\udc80"])
async def test_a_tenant_that_was_replaced_has_its_own_keys(requests: IdempotentRequests, named: str) -> None:
    work = answering("first", "second")

    for _ in range(2):
        caller = Identity(uuid4(), "system", None, replaced_tenant=named)
        assert await requests.once(caller, "key", "recording", work) == "first"
    globex = Identity(uuid4(), "system", None, replaced_tenant="globex")
    assert await requests.once(globex, "key", "recording", work) == "second"


async def test_a_request_that_failed_or_was_cancelled_frees_its_key(requests: IdempotentRequests) -> None:
    with pytest.raises(KeyError):
        await requests.once(ALICE, "key", "recording", failing)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await requests.once(ALICE, "key", "recording", never)

    assert await requests.once(ALICE, "key", "recording", answering("third")) == "third"


async def test_requests_that_ended_are_not_renewed(requests: IdempotentRequests, keys: CountingKeys) -> None:
    await requests.once(ALICE, "answered", "recording", answering("first"))
    with pytest.raises(KeyError):
        await requests.once(ALICE, "failed", "recording", failing)

    requests.renew()

    assert keys.renewed == []


async def test_an_outcome_that_cannot_be_stored_does_not_replace_it(clock: Clock) -> None:
    class Full(InMemoryIdempotency):
        def finish(self, *_: object) -> bool:
            raise IdempotencyUnavailableError("the disk is full")

        def abandon(self, *_: object) -> bool:
            raise IdempotencyUnavailableError("the disk is full")

    keys = Full(clock)
    requests = IdempotentRequests(lambda: keys)

    assert await requests.once(ALICE, "answered", "recording", answering("first")) == "first"
    with pytest.raises(KeyError):
        await requests.once(ALICE, "failed", "recording", failing)


def test_keys_without_a_request_in_flight_are_left_to_run_out(
    leases: LeaseRenewal, keys: CountingKeys, clock: Clock
) -> None:
    with leases.holding(reserve(keys, "mine"), TENANT):
        reserve(keys, "a dead server's")
        clock.advance(RENEW_SECONDS)
        leases.round()
        clock.advance(LEASE_SECONDS - RENEW_SECONDS)

        assert is_taken(keys, "mine")
        assert not is_taken(keys, "a dead server's")


def test_without_keys_in_flight_the_store_is_not_asked_for() -> None:
    def nowhere() -> NoReturn:
        raise AssertionError("there is nothing to renew")

    LeaseRenewal(nowhere).round()


def test_a_stale_reservation_overwrites_nothing_and_is_given_up(
    leases: LeaseRenewal, keys: CountingKeys, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with leases.holding(reserve(keys), TENANT):
        clock.advance(LEASE_SECONDS)
        owner = reserve(keys)
        leases.round()
        leases.round()

        assert keys.renewed == ["key"]
    assert keys.finish(owner, an_answer("{}"))
    (record,) = caplog.records
    assert (record.levelno, record.__dict__["tenant_id"]) == (logging.WARNING, str(TENANT))


def test_a_request_that_ends_during_its_renewal_has_lost_nothing(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Slow(CountingKeys):
        def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
            holding.__exit__(None, None, None)
            self.finish(reservation, an_answer("{}"))
            return super().renew(reservation, lease_seconds=lease_seconds)

    keys = Slow(clock)
    leases = LeaseRenewal(lambda: keys)
    holding = leases.holding(reserve(keys), TENANT)
    holding.__enter__()

    leases.round()

    assert keys.renewed == ["key"]
    assert caplog.records == []


def test_a_store_that_is_away_for_a_while_costs_no_key(
    leases: LeaseRenewal, keys: CountingKeys, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with leases.holding(reserve(keys, "one"), TENANT), leases.holding(reserve(keys, "other"), TENANT):
        keys.is_away = True
        for _ in range(2):
            clock.advance(RENEW_SECONDS - 1)
            leases.round()
        assert [record.__dict__["in_flight"] for record in caplog.records] == [2, 2]
        keys.is_away = False
        clock.advance(RENEW_SECONDS - 1)
        leases.round()

        clock.advance(LEASE_SECONDS - 1)
        assert is_taken(keys, "one")
        assert is_taken(keys, "other")


def test_a_key_whose_renewal_breaks_down_costs_no_other_one(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Defective(CountingKeys):
        def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
            if reservation.key == "defect":
                raise RuntimeError
            return super().renew(reservation, lease_seconds=lease_seconds)

    keys = Defective(clock)
    leases = LeaseRenewal(lambda: keys)
    with (
        leases.holding(reserve(keys, "one"), TENANT),
        leases.holding(reserve(keys, "defect"), TENANT),
        leases.holding(reserve(keys, "other"), TENANT),
    ):
        leases.round()

    assert sorted(keys.renewed) == ["one", "other"]
    (record,) = caplog.records
    assert record.message == "unexpected error while renewing an idempotency key, retrying in the next round"
    assert record.exc_info
    assert vars(record)["error_type"] == "RuntimeError"


def test_a_round_that_breaks_down_is_not_the_last(keys: CountingKeys) -> None:
    asked: list[CountingKeys] = []

    def store() -> CountingKeys:
        asked.append(keys)
        if len(asked) <= 2:
            raise ConfigurationError("the database is of another version")
        return keys

    leases = LeaseRenewal(store)
    with leases.holding(reserve(keys), TENANT), leases.running(every_seconds=0.001):
        wait_until(lambda: bool(keys.renewed))


def test_it_renews_in_a_thread_that_ends_with_it(leases: LeaseRenewal, keys: CountingKeys) -> None:
    with leases.holding(reserve(keys), TENANT), leases.running(every_seconds=0.001):
        wait_until(lambda: len(keys.renewed) > 2)

    assert [thread for thread in threading.enumerate() if thread.name == "leases"] == []


def test_it_ends_at_once_however_long_a_pause_is(leases: LeaseRenewal) -> None:
    with leases.running(every_seconds=3600):
        pass

    assert [thread for thread in threading.enumerate() if thread.name == "leases"] == []
