"""Search for one message; all others survive every failure."""

from collections.abc import Callable

import pytest

from domain.model.errors import InfrastructureError
from domain.model.messages.message import Attributes
from domain.services.route.message_search import Match, MessageSearch, SearchResult
from ports.queue_port import QueueMessage
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryQueue, Killed, failing_with

FOREIGN = [f"foreign-{number:02}" for number in range(25)]


def wants_needle(message: QueueMessage) -> Match:
    return Match(wanted=message.body == "needle", removable=message.body == "litter")


class Ground:
    """A queue with its dead-letter queue, on one clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.dead_letters = InMemoryQueue(self.clock)
        self.queue = BreakingQueue(self.clock, dead_letters=self.dead_letters)
        self.pauses: list[float] = []

    def fill(self, *bodies: str) -> None:
        for body in bodies:
            self.queue.send(body)

    def search(self, seconds: float = 30, *, pollers: int = 1) -> SearchResult:
        search = MessageSearch(self.queue, wants_needle, pollers=pollers, clock=self.clock, pause=self._pause)
        return search.run(seconds)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)


@pytest.fixture
def ground() -> Ground:
    return Ground()


def test_the_message_is_found_and_deleted(ground: Ground) -> None:
    ground.fill("needle")

    result = ground.search()

    assert result.found is not None
    assert (result.found.body, result.messages_seen, result.problem) == ("needle", 1, None)
    assert ground.queue.bodies() == []


@pytest.mark.parametrize("pollers", [1, 8])
def test_messages_of_others_are_visible_at_once_and_were_never_received(ground: Ground, pollers: int) -> None:
    ground.fill(*FOREIGN, "needle", "after")

    result = ground.search(pollers=pollers)

    assert result.found is not None
    assert result.problem is None
    assert ground.queue.bodies() == ["after", *FOREIGN]
    assert ground.queue.depth().in_flight == 0
    assert set(ground.queue.counts().values()) == {0}
    assert ground.dead_letters.bodies() == []


def test_attributes_travel_with_what_is_put_back(ground: Ground) -> None:
    ground.queue.send("foreign", Attributes(trace="Root=1"))
    ground.fill("needle")

    ground.search()

    (message,) = ground.queue.receive(10, visibility_timeout=1)
    assert (message.body, message.attributes) == ("foreign", Attributes(trace="Root=1"))


def test_litter_is_removed_on_the_way(ground: Ground) -> None:
    ground.fill("litter", "foreign", "needle")

    ground.search()

    assert ground.queue.bodies() == ["foreign"]


def test_what_does_not_come_is_not_waited_for_longer_than_asked(ground: Ground) -> None:
    started = ground.clock()

    result = ground.search(30)

    assert result == SearchResult(None, 0, None)
    assert ground.clock() - started == 30


def test_copies_are_not_counted_as_new_messages(ground: Ground) -> None:
    ground.fill("a", "b", "c")

    assert ground.search().messages_seen == 3


def test_a_queue_with_nothing_new_is_left_alone_for_longer_and_longer(ground: Ground) -> None:
    ground.fill("a", "b", "c")

    ground.search(30)

    assert ground.pauses[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(ground.pauses) == 1.0
    assert len(ground.queue.received) < 120


def test_a_message_is_hidden_for_ten_seconds_while_it_is_looked_at(ground: Ground) -> None:
    ground.fill("foreign")
    ground.queue.after["receive"] = failing_with(Killed())
    with pytest.raises(Killed):
        ground.search()
    del ground.queue.after["receive"]

    ground.clock.advance(9)
    assert ground.queue.receive(10, visibility_timeout=1) == ()
    ground.clock.advance(1)
    assert [message.body for message in ground.queue.receive(10, visibility_timeout=1)] == ["foreign"]


KILLS: dict[str, Callable[[BreakingQueue], None]] = {
    "after the receive": lambda queue: queue.after.update(receive=failing_with(Killed())),
    "before the copies are sent": lambda queue: queue.before.update(resend=failing_with(Killed())),
    "after the copies were sent": lambda queue: queue.after.update(resend=failing_with(Killed())),
    "before the originals are deleted": lambda queue: queue.before.update(delete=failing_with(Killed())),
    "after the originals were deleted": lambda queue: queue.after.update(delete=failing_with(Killed())),
}


@pytest.mark.parametrize("kill", KILLS.values(), ids=KILLS)
@pytest.mark.parametrize("unharmed_batches", [0, 1])
def test_a_kill_at_any_point_loses_no_message(
    ground: Ground, kill: Callable[[BreakingQueue], None], unharmed_batches: int
) -> None:
    ground.fill(*FOREIGN)
    if unharmed_batches:
        ground.search(0.001)
    kill(ground.queue)

    with pytest.raises(Killed):
        ground.search()

    ground.clock.advance(10)
    assert set(ground.queue.bodies()) == set(FOREIGN)
    assert ground.queue.depth().in_flight == 0
    assert ground.dead_letters.bodies() == []


@pytest.mark.parametrize("pollers", [1, 8])
def test_what_cannot_be_copied_is_visible_again_at_once_and_ends_the_search_before_a_second_message(
    ground: Ground, pollers: int
) -> None:
    ground.fill(*FOREIGN)
    ground.queue.refuse_copies = -1

    result = ground.search(pollers=pollers)

    assert (result.found, result.problem) == (None, "1 messages could not be copied: AccessDenied")
    assert ground.queue.received == [FOREIGN[0]]
    assert ground.queue.bodies() == FOREIGN
    assert ground.queue.depth().in_flight == 0


def test_a_copy_that_is_refused_among_others_leaves_its_original(ground: Ground) -> None:
    ground.fill(*FOREIGN)
    ground.queue.after["resend"] = lambda: setattr(ground.queue, "refuse_copies", 3)

    result = ground.search()

    assert result.problem == "3 messages could not be copied: AccessDenied"
    assert ground.queue.bodies() == FOREIGN
    assert ground.queue.depth().in_flight == 0


def test_a_failed_deletion_leaves_a_duplicate_that_is_visible_at_once(ground: Ground) -> None:
    ground.fill("foreign", "other")
    ground.queue.before["delete"] = failing_with(InfrastructureError("no permission to delete"))

    result = ground.search()

    assert result.problem == "no permission to delete"
    assert ground.queue.bodies() == ["foreign", "foreign", "other"]
    assert ground.queue.depth().in_flight == 0


def test_a_failed_receive_ends_the_search_and_says_why(ground: Ground) -> None:
    ground.queue.before["receive"] = failing_with(InfrastructureError("the queue is gone"))

    assert ground.search() == SearchResult(None, 0, "the queue is gone")


def test_what_was_found_counts_although_others_could_not_be_put_back(ground: Ground) -> None:
    ground.fill("first", "needle", "other")
    ground.queue.after["resend"] = lambda: setattr(ground.queue, "refuse_copies", -1)

    result = ground.search()

    assert result.found is not None
    assert result.problem == "2 messages could not be copied: AccessDenied"
    assert ground.queue.bodies() == ["first", "other"]


def test_a_hundred_searches_dead_letter_nothing(ground: Ground) -> None:
    ground.fill(*FOREIGN)

    for _ in range(100):
        ground.fill("needle")
        assert ground.search(pollers=4).found is not None

    assert ground.queue.bodies() == FOREIGN
    assert ground.dead_letters.bodies() == []
