"""Replays from their start to their clean-up."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import InfrastructureError
from domain.model.replays import ReplayRequest, ReplayState
from domain.services.route.replay import EventReplayService
from tests.contracts.replay_port import TENANT, Archived, ReplayPortContract, everything
from tests.support.doubles.replay import InMemoryReplays
from tests.support.doubles.route import envelope
from tests.support.samples.factories import an_event

START = datetime(2026, 11, 23, tzinfo=UTC)
REQUEST = ReplayRequest(START, START + timedelta(hours=1), TENANT)
STATES = (ReplayState.STARTING, ReplayState.RUNNING, ReplayState.COMPLETED)


class InMemory(Archived):
    def __init__(self) -> None:
        self.memory = InMemoryReplays(lambda: datetime.now(UTC))
        self.replays = self.memory
        self._received = 0

    def publish(self, tenant_id: UUID) -> None:
        body = envelope(an_event(tenant_id=tenant_id))
        assert self.memory.archive is not None
        self.memory.archive.append((datetime.now(UTC), body))
        self.memory.delivered.append(body)

    def receive(self) -> list[dict[str, Any]]:
        new, self.memory.delivered = self.memory.delivered, []
        return [json.loads(body) for body in new]

    def remove_archive(self) -> None:
        self.memory.archive = None

    def leftovers(self) -> int:
        return len(self.memory.needed)


class TestInMemory(ReplayPortContract):
    @pytest.fixture
    def archived(self) -> Archived:
        return InMemory()


class Clock:
    """A clock that only pauses advance."""

    def __init__(self) -> None:
        self.at = START
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replays(clock: Clock) -> InMemoryReplays:
    return InMemoryReplays(clock.now, STATES)


@pytest.fixture
def service(replays: InMemoryReplays, clock: Clock) -> EventReplayService:
    return EventReplayService(replays, pause=clock.pause)


def test_a_replay_is_followed_to_its_end_and_cleaned_up_after(
    service: EventReplayService, replays: InMemoryReplays, clock: Clock
) -> None:
    name = service.start(REQUEST)

    states = [replay.state for replay in service.follow(name)]

    assert states == list(STATES)
    assert clock.pauses == [2.0, 2.0, 30.0]
    assert replays.needed == set()


def test_the_last_events_get_time_to_arrive_before_anything_is_removed(
    service: EventReplayService, replays: InMemoryReplays
) -> None:
    following = service.follow(service.start(REQUEST))

    for _ in STATES:
        next(following)

    assert len(replays.needed) == 1


def test_a_replay_that_nobody_followed_is_cleaned_up_after_by_the_next_one(
    service: EventReplayService, replays: InMemoryReplays, clock: Clock
) -> None:
    forgotten = service.start(REQUEST)
    for _ in STATES:
        replays.look(forgotten)
    clock.pause(60)

    name = service.start(REQUEST)

    assert replays.needed == {name}


def test_a_replay_that_runs_is_left_alone_by_the_next_one(
    service: EventReplayService, replays: InMemoryReplays, clock: Clock
) -> None:
    running = service.start(REQUEST)
    clock.pause(3600)

    other = service.start(REQUEST)

    assert replays.needed == {running, other}


@pytest.mark.parametrize("end", [ReplayState.FAILED, ReplayState.CANCELLED])
def test_a_replay_that_fails_is_cleaned_up_after_too(clock: Clock, end: ReplayState) -> None:
    replays = InMemoryReplays(clock.now, (ReplayState.RUNNING, end))
    service = EventReplayService(replays, pause=clock.pause)

    *_, last = service.follow(service.start(REQUEST))

    assert last.state is end
    assert replays.needed == set()


def test_a_cancelled_replay_says_how_it_stands(service: EventReplayService) -> None:
    assert service.cancel(service.start(REQUEST)).state is ReplayState.CANCELLING


def test_a_replay_that_cannot_begin_is_an_error(
    service: EventReplayService, replays: InMemoryReplays
) -> None:
    replays.archive = None

    with pytest.raises(InfrastructureError, match="no archive"):
        service.start(everything())
