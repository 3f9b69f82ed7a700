"""Publishing in batches, for the services that take up to ten events with a call."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from domain.model.errors import EventPublishError, EventRejectedError
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents, contexts_for, too_large

Entry = TypeVar("Entry")

MAX_ENTRIES = 10
"""Entries that one call of PutEvents or PublishBatch accepts."""


class Batch(NamedTuple, Generic[Entry]):
    """Entries that are sent with one call."""

    entries: list[Entry]
    size: int
    """Bytes of all entries together."""


class BatchedPublisher(EventPort, Generic[Entry]):
    """Sends events as entries of calls, and finds the outcome of each; `Entry` is the service's form of one.

    The three abstract methods know the service.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes  # limit of one entry, and of all entries of a call together

    @abstractmethod
    def entry(self, event: SentEvent, /, *, labels: tuple[str, ...], traceparent: str | None) -> Entry:
        """Wrap the event into an entry."""

    @abstractmethod
    def size_of(self, entry: Entry, /) -> int:
        """Count an entry's bytes as the service does."""

    @abstractmethod
    def send(self, entries: Sequence[Entry], /) -> list[PublishOutcome]:
        """Send one call; return one outcome for each entry, in their order.

        Raises:
            EventRejectedError: the call was refused for one of the entries, and does not name it.
            EventBusUnavailableError: the call failed as a whole.
        """

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Send the events in as few calls as possible; the receipts are the service's ids."""
        contexts = contexts_for(events, traceparents)
        entries = (
            self.entry(event, labels=labels, traceparent=context)
            for event, context in zip(events, contexts, strict=True)
        )
        batches = packed(entries, self.size_of, self._max_bytes)
        return tuple(outcome for batch in batches for outcome in self._outcomes(batch))

    def _outcomes(self, batch: Batch[Entry]) -> Sequence[PublishOutcome]:
        if batch.size > self._max_bytes:
            return [too_large(batch.size, self._max_bytes)]
        try:
            return self.send(batch.entries)
        except EventRejectedError as error:
            return [error] if len(batch.entries) == 1 else self._send_one_by_one(batch)
        except EventPublishError as error:
            return [error] * len(batch.entries)

    def _send_one_by_one(self, batch: Batch[Entry]) -> list[PublishOutcome]:
        """Find the event at fault: a call that is rejected as a whole does not name it."""
        singles = (Batch([entry], self.size_of(entry)) for entry in batch.entries)
        return [outcome for single in singles for outcome in self._outcomes(single)]


def packed(
    entries: Iterable[Entry], size_of: Callable[[Entry], int], max_bytes: int
) -> Iterator[Batch[Entry]]:
    """Pack entries, in their order, into as few calls as their number and their bytes allow.

    An entry that is larger than `max_bytes` by itself becomes a batch of its own.
    """
    batch: Batch[Entry] = Batch([], 0)
    for entry in entries:
        size = size_of(entry)
        if batch.entries and (len(batch.entries) == MAX_ENTRIES or batch.size + size > max_bytes):
            yield batch
            batch = Batch([], 0)
        batch = Batch([*batch.entries, entry], batch.size + size)
    if batch.entries:
        yield batch
