"""A queue and a move task in memory, on a clock that tests advance; and a queue with injected faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from threading import Lock

from domain.model.errors import DeletionError, InfrastructureError
from domain.model.messages.message import NO_ATTRIBUTES, Attributes, DeliveryFailure
from ports.move_task_port import MoveProgress, MoveTaskPort
from ports.queue_port import Copy, QueueDepth, QueueMessage, QueuePort


class Clock:
    """A clock in seconds that tests and waiting queues advance."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class _Stored:
    id: str
    body: str
    attributes: Attributes
    visible_at: float
    sent_at: datetime | None = None
    delivery_failure: DeliveryFailure | None = None
    receives: int = 0
    receipts: set[str] = field(default_factory=set)


class InMemoryQueue(QueuePort):
    """A first-in, first-out queue, which advances the clock instead of sleeping."""

    def __init__(
        self, clock: Clock, *, dead_letters: "InMemoryQueue | None" = None, max_receive_count: int = 3
    ) -> None:
        self._clock = clock
        self._dead_letters = dead_letters
        self._max_receives = max_receive_count
        self._stored: list[_Stored] = []
        self._lock = Lock()
        self._deleted: set[str] = set()
        self._numbers = count()
        self.received: list[str] = []
        """Bodies of all messages received, in order."""

    def send(
        self,
        body: str,
        attributes: Attributes = NO_ATTRIBUTES,
        delivery_failure: DeliveryFailure | None = None,
    ) -> str:
        message_id = f"message-{id(self)}-{next(self._numbers)}"
        now = self._clock()
        sent_at = datetime.fromtimestamp(now, UTC)
        with self._lock:
            self._stored.append(_Stored(message_id, body, attributes, now, sent_at, delivery_failure))
        return message_id

    def take_over(self, stored: _Stored) -> None:
        """Add a message that another queue dead-lettered, with its id and sending time."""
        with self._lock:
            self._stored.append(replace(stored, receives=0, receipts=set(), delivery_failure=None))

    def receive(
        self, limit: int, /, *, visibility_timeout: int, wait_seconds: int = 0
    ) -> tuple[QueueMessage, ...]:
        with self._lock:
            messages = self._take(limit, visibility_timeout)
            if not messages and wait_seconds:
                self._clock.advance(wait_seconds)
                messages = self._take(limit, visibility_timeout)
            self.received += [message.body for message in messages]
            return messages

    def delete(self, messages: Sequence[QueueMessage], /) -> None:
        with self._lock:
            gone = list(filter(None, map(self._find, messages)))
            self._stored = [stored for stored in self._stored if stored not in gone]
            self._deleted.update(*(stored.receipts for stored in gone))
            unknown = [message for message in messages if message.receipt not in self._deleted]
        if unknown:
            problem = f"{len(unknown)} messages could not be deleted: no such receipt"
            raise DeletionError(problem, count=len(unknown))

    def release(self, messages: Sequence[QueueMessage], /) -> None:
        with self._lock:
            for stored in filter(None, map(self._find, messages)):
                stored.visible_at = self._clock()

    def change_visibility(
        self, messages: Sequence[QueueMessage], /, *, visibility_timeout: int
    ) -> tuple[QueueMessage, ...]:
        with self._lock:
            found = [(message, self._find(message)) for message in messages]
            for stored in (stored for _, stored in found if stored):
                stored.visible_at = self._clock() + visibility_timeout
            return tuple(message for message, stored in found if stored is None)

    def resend(self, messages: Sequence[QueueMessage], /) -> tuple[Copy, ...]:
        return tuple(Copy(message, self.send(message.body, message.attributes)) for message in messages)

    def check_permissions(self) -> None:
        pass

    def max_receive_count(self) -> int | None:
        return self._max_receives if self._dead_letters else None

    def depth(self) -> QueueDepth:
        with self._lock:
            waiting = sum(stored.visible_at <= self._clock() for stored in self._stored)
            return QueueDepth(waiting, len(self._stored) - waiting)

    def counts(self) -> dict[str, int]:
        """Number of receives of each message, by its body."""
        return {stored.body: stored.receives for stored in self._stored}

    def bodies(self) -> list[str]:
        return sorted(stored.body for stored in self._stored)

    def _take(self, limit: int, visibility_timeout: int) -> tuple[QueueMessage, ...]:
        taken: list[QueueMessage] = []
        for stored in tuple(self._stored):
            if len(taken) < limit and stored.visible_at <= self._clock():
                if stored.receives >= self._max_receives and self._dead_letters is not None:
                    self._stored.remove(stored)
                    self._dead_letters.take_over(stored)
                else:
                    taken.append(self._hand_out(stored, visibility_timeout))
        return tuple(taken)

    def _hand_out(self, stored: _Stored, visibility_timeout: int) -> QueueMessage:
        stored.receives += 1
        stored.visible_at = self._clock() + visibility_timeout
        receipt = f"{stored.id}-receive-{stored.receives}"
        stored.receipts.add(receipt)
        return QueueMessage(
            stored.id,
            stored.body,
            receipt,
            stored.receives,
            stored.attributes,
            stored.sent_at,
            stored.delivery_failure,
        )

    def _find(self, message: QueueMessage) -> _Stored | None:
        return next((stored for stored in self._stored if message.receipt in stored.receipts), None)


class InMemoryMoveTask(MoveTaskPort):
    """Moves some messages at each call of `progress`; unlike a redrive by hand, it moves all."""

    def __init__(self, source: InMemoryQueue, target: InMemoryQueue, *, step: int = 10) -> None:
        self._source = source
        self._target = target
        self._step = step
        self._total = self._moved = 0
        self.running = False
        self.refusal: InfrastructureError | None = None
        """Error that `start` raises; None for none."""
        self.fails_once_at = 0
        """Number of the call of `progress` that fails; 0 for none."""

    def start(self) -> None:
        if self.running:
            raise InfrastructureError("moving is under way already")
        if self.refusal:
            raise self.refusal
        self.running, self._total, self._moved = True, self._source.depth().waiting, 0

    def progress(self) -> MoveProgress:
        self.fails_once_at -= 1
        if self.fails_once_at == 0:
            raise InfrastructureError("Throttled")
        if self.running:
            held = self._source.receive(self._step, visibility_timeout=60)
            self._target.resend(held)
            self._source.delete(held)
            self._moved += len(held)
            self.running = bool(held)
        return MoveProgress(running=self.running, moved=self._moved, total=self._total)

    def cancel(self) -> None:
        self.running = False


class Killed(BaseException):
    """The end of the process: no code catches it or cleans up."""


class BreakingQueue(InMemoryQueue):
    """A queue whose operations raise an error or return a result that the test defines.

    `before["resend"]` is called before copies are sent, `after["receive"]` after messages were taken.
    """

    def __init__(
        self, clock: Clock, *, dead_letters: InMemoryQueue | None = None, max_receive_count: int = 3
    ) -> None:
        super().__init__(clock, dead_letters=dead_letters, max_receive_count=max_receive_count)
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.calls: list[str] = []
        self.refuse_copies = 0
        """Number of copies to refuse next; -1 for all."""

    def receive(
        self, limit: int, /, *, visibility_timeout: int, wait_seconds: int = 0
    ) -> tuple[QueueMessage, ...]:
        self._at("receive", self.before)
        messages = super().receive(limit, visibility_timeout=visibility_timeout, wait_seconds=wait_seconds)
        self._at("receive", self.after)
        return messages

    def delete(self, messages: Sequence[QueueMessage], /) -> None:
        self._at("delete", self.before)
        super().delete(messages)
        self._at("delete", self.after)

    def release(self, messages: Sequence[QueueMessage], /) -> None:
        self._at("release", self.before)
        super().release(messages)

    def change_visibility(
        self, messages: Sequence[QueueMessage], /, *, visibility_timeout: int
    ) -> tuple[QueueMessage, ...]:
        self._at("change_visibility", self.before)
        return super().change_visibility(messages, visibility_timeout=visibility_timeout)

    def resend(self, messages: Sequence[QueueMessage], /) -> tuple[Copy, ...]:
        self._at("resend", self.before)
        copies = tuple(self._copy_or_refuse(message) for message in messages)
        self._at("resend", self.after)
        return copies

    def check_permissions(self) -> None:
        self._at("check_permissions", self.before)

    def depth(self) -> QueueDepth:
        self._at("depth", self.before)
        return super().depth()

    def _copy_or_refuse(self, message: QueueMessage) -> Copy:
        if self.refuse_copies == 0:
            return super().resend([message])[0]
        self.refuse_copies -= 1
        return Copy(message, None, "AccessDenied")

    def _at(self, name: str, hooks: dict[str, Callable[[], None]]) -> None:
        if hooks is self.before:
            self.calls.append(name)
        if name in hooks:
            hooks[name]()


def failing_with(error: BaseException) -> Callable[[], None]:
    """Create a hook that raises the error."""

    def fail() -> None:
        raise error

    return fail
