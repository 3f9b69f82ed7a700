"""Contract of `ReplayPort` (`ports/replay_port.py`)."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.errors import InfrastructureError
from domain.model.replays import ReplayRequest, ReplayState
from ports.replay_port import ReplayPort

TENANT, OTHER = uuid4(), uuid4()


class Archived(ABC):
    """An archive and its route, with methods to fill the archive and to read the queue."""

    replays: ReplayPort

    @abstractmethod
    def publish(self, tenant_id: UUID) -> None:
        """Send an event through the route, into queue and archive."""

    @abstractmethod
    def receive(self) -> list[dict[str, Any]]:
        """Receive all envelopes from the queue."""

    @abstractmethod
    def remove_archive(self) -> None:
        """Delete the archive."""

    @abstractmethod
    def leftovers(self) -> int:
        """Number of resources that replays created and that still exist."""


def everything(tenant_id: UUID | None = None) -> ReplayRequest:
    now = datetime.now(UTC)
    return ReplayRequest(now - timedelta(hours=1), now + timedelta(seconds=1), tenant_id)


class ReplayPortContract:
    """Bind `archived`: an empty archive and a sound route."""

    @pytest.fixture
    def archived(self) -> Archived:
        raise NotImplementedError

    def test_events_come_again_marked_with_the_name_of_their_replay(self, archived: Archived) -> None:
        archived.publish(TENANT)
        archived.publish(OTHER)
        first = archived.receive()
        assert [envelope.get("replay-name") for envelope in first] == [None, None]

        name = archived.replays.start(everything())

        again = archived.receive()
        assert {envelope["replay-name"] for envelope in again} == {name}
        assert {envelope["detail"]["interaction_id"] for envelope in again} == {
            envelope["detail"]["interaction_id"] for envelope in first
        }

    def test_names_are_never_the_same_twice(self, archived: Archived) -> None:
        assert archived.replays.start(everything()) != archived.replays.start(everything())

    def test_a_replay_that_went_through_is_completed(self, archived: Archived) -> None:
        request = everything()

        replay = archived.replays.look(archived.replays.start(request))

        assert replay.state is ReplayState.COMPLETED
        assert replay.progress == 1.0
        assert abs(replay.start - request.start) < timedelta(seconds=1)

    def test_a_replay_of_everything_leaves_nothing_behind(self, archived: Archived) -> None:
        name = archived.replays.start(everything())

        assert archived.leftovers() == 0
        archived.replays.clean_up(name)

    def test_what_a_replay_of_one_tenant_needed_goes_when_it_is_cleaned_up(self, archived: Archived) -> None:
        name = archived.replays.start(everything(TENANT))
        assert archived.leftovers() == 1

        archived.replays.clean_up(name)
        archived.replays.clean_up(name)

        assert archived.leftovers() == 0

    def test_what_just_ended_is_not_tidied_away_yet(self, archived: Archived) -> None:
        archived.replays.start(everything(TENANT))

        assert archived.replays.tidy() == ()
        assert archived.leftovers() == 1

    def test_without_an_archive_nothing_begins_and_the_remedy_is_told(self, archived: Archived) -> None:
        archived.remove_archive()

        with pytest.raises(InfrastructureError, match=r"no archive.* provision --archive DAYS"):
            archived.replays.start(everything(TENANT))
        assert archived.leftovers() == 0

    def test_a_replay_that_nobody_knows_is_an_error(self, archived: Archived) -> None:
        with pytest.raises(InfrastructureError, match="no replay unknown"):
            archived.replays.look("unknown")
        with pytest.raises(InfrastructureError, match="no replay unknown"):
            archived.replays.cancel("unknown")
