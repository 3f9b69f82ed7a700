"""What several threads ask of a memory at once, asked in one call."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from domain.model.processed import EventKey, Hold, Standing
from ports.processed_events_port import ProcessedEventsPort

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class CombinedMemory(ProcessedEventsPort):
    """A memory for many threads, each of which has a few events: they share its commits.

    A durable commit costs as much for one event as for a hundred, and a store may take one at a time. Calls
    that are combined get the longest time that any of them asks for.
    """

    def __init__(self, memory: ProcessedEventsPort) -> None:
        self._memory = memory
        self._claims = _Combined[EventKey, Hold | Standing](self._claim)
        self._ends = _Combined[Hold, None](self._finish)

    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        """Claim together with everybody who does so at present."""
        return tuple(self._claims.ask(keys, lease_seconds))

    def renew(self, holds: Sequence[Hold], /, *, lease_seconds: float) -> int:
        """As it is."""
        return self._memory.renew(holds, lease_seconds=lease_seconds)

    def finish(self, holds: Sequence[Hold], /, *, remember_seconds: float) -> None:
        """Write down together with everybody who does so at present."""
        self._ends.ask(holds, remember_seconds)

    def give_up(self, holds: Sequence[Hold], /) -> None:
        """As it is."""
        self._memory.give_up(holds)

    def prune(self) -> int:
        """As it is."""
        return self._memory.prune()

    def _claim(self, keys: Sequence[EventKey], seconds: float) -> Sequence[Hold | Standing]:
        return self._memory.claim(keys, lease_seconds=seconds)

    def _finish(self, holds: Sequence[Hold], seconds: float) -> Sequence[None]:
        self._memory.finish(holds, remember_seconds=seconds)
        return (None,) * len(holds)


class _Request(Generic[Asked, Answer]):
    def __init__(self, items: Sequence[Asked], seconds: float) -> None:
        self.items = items
        self.seconds = seconds
        self.answers: Sequence[Answer] | None = None
        self.error: Exception | None = None

    @property
    def is_open(self) -> bool:
        return self.answers is None and self.error is None


class _Combined(Generic[Asked, Answer]):
    """One call at a time; who comes meanwhile is served by the next one, together with all the others.

    Args:
        call: answers each item, in their order.
    """

    def __init__(self, call: Callable[[Sequence[Asked], float], Sequence[Answer]]) -> None:
        self._call = call
        self._turn = Lock()
        self._lock = Lock()
        self._waiting: list[_Request[Asked, Answer]] = []

    def ask(self, items: Sequence[Asked], seconds: float) -> Sequence[Answer]:
        """Wait for the answers to these items; raises what the call raised."""
        request = _Request[Asked, Answer](items, seconds)
        with self._lock:
            self._waiting.append(request)
        with self._turn:
            if request.is_open:
                self._answer_everybody()
        if request.error:
            raise request.error
        return request.answers or ()

    def _answer_everybody(self) -> None:
        with self._lock:
            requests, self._waiting = self._waiting, []
        items = [item for request in requests for item in request.items]
        try:
            answers = iter(self._call(items, max(request.seconds for request in requests)))
        except Exception as error:  # noqa: BLE001 - raised where it was asked
            for request in requests:
                request.error = error
            return
        for request in requests:
            request.answers = [next(answers) for _ in request.items]
