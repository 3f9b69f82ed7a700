"""Contract of `QueuePort` (`ports/queue_port.py`)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar

import pytest

from domain.model.errors import DeletionError
from ports.queue_port import QueueDepth, QueueMessage, QueuePort

Send = Callable[[str], None]
"""Sends a message with this body and with attributes to the queue under test."""


def _take(queue: QueuePort, limit: int = 10, hidden: int = 60) -> tuple[QueueMessage, ...]:
    return queue.receive(limit, visibility_timeout=hidden, wait_seconds=1)


class QueuePortContract:
    """Bind `queue`, `dead_letters` (the dead-letter queue of `queue`, after three receives) and `send`."""

    receivers: ClassVar[int] = 4
    """Number of concurrent receivers."""

    @pytest.fixture
    def queue(self) -> QueuePort:
        raise NotImplementedError

    @pytest.fixture
    def dead_letters(self) -> QueuePort:
        raise NotImplementedError

    @pytest.fixture
    def send(self) -> Send:
        raise NotImplementedError

    def test_what_was_sent_is_received(self, queue: QueuePort, send: Send) -> None:
        send("hällo \u2028 🎙")

        (message,) = _take(queue)

        assert (message.body, message.receive_count) == ("hällo \u2028 🎙", 1)

    def test_an_empty_queue_gives_nothing(self, queue: QueuePort) -> None:
        assert queue.receive(10, visibility_timeout=1) == ()

    def test_no_more_than_the_limit_is_received(self, queue: QueuePort, send: Send) -> None:
        for number in range(5):
            send(str(number))

        assert len(_take(queue, limit=2)) == 2

    def test_what_was_received_is_hidden_from_others(self, queue: QueuePort, send: Send) -> None:
        send("a")
        _take(queue)

        assert queue.receive(10, visibility_timeout=1) == ()
        assert queue.depth() == QueueDepth(waiting=0, in_flight=1)

    def test_it_is_visible_again_when_its_time_is_up_and_the_receive_counts(
        self, queue: QueuePort, send: Send
    ) -> None:
        send("a")
        _take(queue, hidden=1)

        (again,) = queue.receive(10, visibility_timeout=60, wait_seconds=5)

        assert (again.body, again.receive_count) == ("a", 2)

    def test_what_was_deleted_is_gone_and_may_be_deleted_again(self, queue: QueuePort, send: Send) -> None:
        for number in range(12):
            send(str(number))
        held = [*_take(queue), *_take(queue)]

        queue.delete(held)
        queue.delete(held)

        assert queue.depth() == QueueDepth(waiting=0, in_flight=0)

    def test_a_failed_deletion_is_told_after_the_others_were_tried(
        self, queue: QueuePort, send: Send
    ) -> None:
        send("a")
        (message,) = _take(queue)

        with pytest.raises(DeletionError, match="1") as failure:
            queue.delete([replace(message, receipt="no such receipt"), message])

        assert failure.value.count == 1
        assert queue.depth() == QueueDepth(waiting=0, in_flight=0)

    def test_what_was_released_is_visible_at_once_and_the_receive_counts(
        self, queue: QueuePort, send: Send
    ) -> None:
        send("a")
        queue.release(_take(queue))

        (again,) = _take(queue)

        assert again.receive_count == 2

    def test_releasing_never_raises(self, queue: QueuePort, send: Send) -> None:
        send("a")
        (message,) = _take(queue)

        queue.release([replace(message, receipt="no such receipt"), message])

        assert queue.depth() == QueueDepth(waiting=1, in_flight=0)

    def test_hiding_it_longer_keeps_it_from_others(self, queue: QueuePort, send: Send) -> None:
        send("a")
        held = _take(queue, hidden=1)

        assert queue.change_visibility(held, visibility_timeout=60) == ()

        assert queue.receive(10, visibility_timeout=60, wait_seconds=2) == ()

    def test_hiding_it_for_no_time_makes_it_visible_at_once(self, queue: QueuePort, send: Send) -> None:
        for number in range(12):
            send(str(number))

        queue.change_visibility([*_take(queue), *_take(queue)], visibility_timeout=0)

        assert queue.depth() == QueueDepth(waiting=12, in_flight=0)

    def test_what_cannot_be_hidden_is_told_after_the_others_were_hidden(
        self, queue: QueuePort, send: Send
    ) -> None:
        send("a")
        (message,) = _take(queue)
        stranger = replace(message, receipt="no such receipt")

        assert queue.change_visibility([stranger, message], visibility_timeout=0) == (stranger,)

        assert queue.depth() == QueueDepth(waiting=1, in_flight=0)

    def test_a_copy_is_the_same_and_was_never_received(self, queue: QueuePort, send: Send) -> None:
        send("a" * 1000)
        (original,) = _take(queue)

        (copy,) = queue.resend([original])
        (received,) = _take(queue)

        assert copy.original == original
        assert (copy.id, copy.problem) == (received.id, "")
        assert received.id != original.id
        assert (received.body, received.receive_count) == (original.body, 1)

    def test_a_copy_carries_what_travels_beside_the_body(self, queue: QueuePort, send: Send) -> None:
        send("a")
        (original,) = _take(queue)

        queue.resend([original])
        (received,) = _take(queue)

        assert original.attributes.named or original.attributes.trace
        assert received.attributes == original.attributes

    def test_copying_leaves_the_original_where_it_is(self, queue: QueuePort, send: Send) -> None:
        send("a")

        queue.resend(_take(queue))

        assert queue.depth() == QueueDepth(waiting=1, in_flight=1)

    def test_copies_are_answered_in_order(self, queue: QueuePort, send: Send) -> None:
        for number in range(12):
            send(str(number))
        held = [*_take(queue), *_take(queue)]

        copies = queue.resend(held)

        assert [copy.original for copy in copies] == held
        assert len({copy.id for copy in copies}) == 12

    def test_nothing_to_do_is_done(self, queue: QueuePort) -> None:
        queue.delete([])
        queue.release([])

        assert queue.change_visibility([], visibility_timeout=0) == ()
        assert queue.resend([]) == ()

    def test_what_was_received_three_times_is_dead_lettered_as_the_same_message(
        self, queue: QueuePort, dead_letters: QueuePort, send: Send
    ) -> None:
        send("poison")
        for _ in range(3):
            (message,) = _take(queue)
            queue.release([message])
        assert queue.receive(10, visibility_timeout=1) == ()

        (dead,) = _take(dead_letters)

        assert (dead.id, dead.body, dead.sent_at) == (message.id, "poison", message.sent_at)
        assert dead.delivery_failure is None

    def test_a_message_says_when_it_was_sent_and_its_copy_later(self, queue: QueuePort, send: Send) -> None:
        send("a")
        (original,) = _take(queue)

        queue.resend([original])
        (copy,) = _take(queue)

        assert original.sent_at
        assert copy.sent_at
        assert original.sent_at <= copy.sent_at
        assert original.delivery_failure is None

    def test_a_queue_knows_after_how_many_receives_it_dead_letters(
        self, queue: QueuePort, dead_letters: QueuePort
    ) -> None:
        assert (queue.max_receive_count(), dead_letters.max_receive_count()) == (3, None)

    def test_checking_the_return_path_touches_no_message(self, queue: QueuePort, send: Send) -> None:
        send("a")

        queue.check_permissions()

        assert queue.depth() == QueueDepth(waiting=1, in_flight=0)
        assert [message.receive_count for message in _take(queue)] == [1]

    def test_several_threads_get_different_messages(self, queue: QueuePort, send: Send) -> None:
        for number in range(40):
            send(str(number))

        with ThreadPoolExecutor(self.receivers) as pool:
            held = list(pool.map(lambda _: _take(queue), range(4)))

        assert sorted(int(message.body) for batch in held for message in batch) == list(range(40))
