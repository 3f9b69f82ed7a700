"""Contract suite of `EventHandlerPort`; an adapter binds it by providing the fixture `handler`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError
from domain.model.events.event import BatchProcessingCompleted
from ports.event_handler_port import EventHandlerPort
from tests.support.samples.factories import an_event


@dataclass(frozen=True)
class Handler:
    """Handler under test, with its results.

    Attributes:
        handled: returns the events that were handled, read back from their destination.
        broken: a handler of the same kind that fails for every event.
    """

    port: EventHandlerPort
    handled: Callable[[], list[BatchProcessingCompleted]]
    broken: EventHandlerPort


class EventHandlerPortContract:
    """Bound by each adapter of `EventHandlerPort`."""

    def test_an_event_is_handled_completely(self, handler: Handler) -> None:
        event = an_event(raw_transcript="Grüße, 你好 👩‍👩‍👧 \u2028 'x' \"y\" \n" * 50, cleaned_transcript="")

        handler.port.handle(ReceivedEvent(event))

        assert handler.handled() == [event]

    def test_large_transcripts_are_handled(self, handler: Handler) -> None:
        event = an_event(raw_transcript="word " * 600_000, account_id=None)

        handler.port.handle(ReceivedEvent(event, replay="again", receive_count=2))

        assert handler.handled() == [event]

    def test_the_same_event_may_come_again(self, handler: Handler) -> None:
        event = an_event()

        for count in (1, 2):
            handler.port.handle(ReceivedEvent(event, receive_count=count))

        assert set(handler.handled()) == {event}

    def test_several_threads_may_call_it_at_once(self, handler: Handler) -> None:
        events = [an_event(raw_transcript=str(number)) for number in range(12)]

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(handler.port.handle, map(ReceivedEvent, events)))

        assert set(handler.handled()) == set(events)

    def test_every_failure_is_raised_and_never_quotes_the_transcripts(self, handler: Handler) -> None:
        received = ReceivedEvent(an_event(raw_transcript="secret", cleaned_transcript="Secret."))

        for _ in range(2):
            with pytest.raises(HandlerError) as failure:
                handler.broken.handle(received)
            assert "secret" not in str(failure.value).lower()
