"""Several threads that ask a memory at once share its calls, and each gets its own answers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from adapters.in_memory import InMemoryProcessedEvents
from domain.model.errors import ProcessedEventsUnavailableError
from domain.model.processed import EventKey, Hold, Standing
from domain.services.combined_memory import CombinedMemory
from tests.contracts.processed_events_port import Memory, ProcessedEventsPortContract, a_key
from tests.databases import Clock
from tests.service import wait_until


class TestCombinedMemory(ProcessedEventsPortContract):
    @pytest.fixture
    def memory(self) -> Memory:
        clock = Clock()
        port, others = (CombinedMemory(InMemoryProcessedEvents(clock)) for _ in range(2))
        return Memory(port, clock, others)


class SlowMemory(InMemoryProcessedEvents):
    """Answers the first call when it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.go_on = Event()
        self.error = error

    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        self.calls.append(len(keys))
        assert self.go_on.wait(10)
        if self.error and len(self.calls) > 1:
            raise self.error
        return super().claim(keys, lease_seconds=lease_seconds)


def test_who_comes_while_a_call_is_under_way_is_served_by_the_next_one_together_with_the_others() -> None:
    slow = SlowMemory()
    memory, keys = CombinedMemory(slow), [[a_key(), a_key()] for _ in range(6)]

    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(memory.claim, keys[0], lease_seconds=60)
        wait_until(lambda: slow.calls == [2], seconds=10)
        rest = [threads.submit(memory.claim, each, lease_seconds=60) for each in keys[1:]]
        wait_until(lambda: len(memory._claims._waiting) == 5, seconds=10)
        slow.go_on.set()
        answers = [first.result(), *(each.result() for each in rest)]

    assert slow.calls == [2, 10]
    assert [[hold.key for hold in answer if isinstance(hold, Hold)] for answer in answers] == keys


def test_a_failure_is_raised_to_everybody_who_asked_and_nobody_else() -> None:
    slow = SlowMemory(ProcessedEventsUnavailableError("away"))
    memory = CombinedMemory(slow)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(memory.claim, [a_key()], lease_seconds=60)
        wait_until(lambda: slow.calls == [1], seconds=10)
        rest = [threads.submit(memory.claim, [a_key()], lease_seconds=60) for _ in range(2)]
        wait_until(lambda: len(memory._claims._waiting) == 2, seconds=10)
        slow.go_on.set()

        assert first.result()
        for each in rest:
            with pytest.raises(ProcessedEventsUnavailableError, match="away"):
                each.result()

    slow.error = None
    assert isinstance(memory.claim([a_key()], lease_seconds=60)[0], Hold)
