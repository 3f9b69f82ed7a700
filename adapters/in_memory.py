"""Events kept in this process: for tests and for running without a bus."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from uuid import UUID, uuid4

from domain.model.errors import (
    IdempotencyConflictError,
    IdempotencyInProgressError,
    PayloadStoreError,
)
from domain.model.events import (
    BatchProcessingCompleted,
    CompletedEvent,
    Publication,
    PublicationStatus,
    TranscriptRef,
    read_event,
)
from domain.model.idempotency import FirstAnswer, Reservation
from domain.model.outbox import (
    Claim,
    OutboxCounts,
    OutboxRecord,
    OutboxState,
    Outcome,
    Postponed,
    Published,
    Rejected,
)
from domain.model.processed import EventKey, Hold, Standing
from ports.event_port import EventPort, PublishOutcome
from ports.idempotency_port import IdempotencyPort
from ports.outbox_port import OutboxPort
from ports.payload_store_port import PayloadStorePort, payload_key
from ports.processed_events_port import ProcessedEventsPort


class InMemoryEventPublisher(EventPort):
    """Keeps events as the JSON that a bus would carry, so that what cannot be serialised fails here too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: list[tuple[str, tuple[str, ...]]] = []

    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Keep the events until the process ends."""
        sent = [(event.to_json(), labels) for event in events]
        with self._lock:
            self._sent.extend(sent)
        return tuple(Publication(PublicationStatus.PUBLISHED, str(uuid4())) for _ in sent)

    @property
    def accepted(self) -> tuple[CompletedEvent, ...]:
        """Every event so far, read back from its JSON, in the order of acceptance."""
        with self._lock:
            return tuple(read_event(detail) for detail, _ in self._sent)

    @property
    def published(self) -> tuple[BatchProcessingCompleted, ...]:
        """Those of schema 1.0."""
        return tuple(event for event in self.accepted if isinstance(event, BatchProcessingCompleted))

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each event, in the same order."""
        with self._lock:
            return tuple(labels for _, labels in self._sent)


class InMemoryPayloadStore(PayloadStorePort):
    """Keeps large transcripts until the process ends."""

    BUCKET = "memory"

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        """Keep the transcripts, over those of an earlier attempt."""
        key, content = payload_key(event), event.data.model_dump_json().encode()
        self._objects[key] = content
        digest = hashlib.sha256(content).hexdigest()
        return TranscriptRef(bucket=self.BUCKET, key=key, size=len(content), sha256=digest)

    def get(self, ref: TranscriptRef, /) -> bytes:
        """What was stored."""
        if ref.bucket != self.BUCKET:
            raise PayloadStoreError(f"the reference leads to {ref.bucket!r}, not to this store")
        if ref.key not in self._objects:
            raise PayloadStoreError(f"there is nothing stored under {ref.key!r}")
        return self._objects[ref.key][: ref.size + 1]


SECONDS_A_DAY: Final = 86_400.0
WAITING, PUBLISHED, REJECTED = OutboxState.WAITING, OutboxState.PUBLISHED, OutboxState.REJECTED


@dataclass
class _Kept:
    """An event in an `InMemoryOutbox`, as a row would hold it; times are seconds since 1970."""

    json: str | None
    tenant_id: UUID
    token: UUID | None
    added_at: float
    due_at: float
    lease_until: float = 0.0
    state: OutboxState = OutboxState.WAITING
    attempts: int = 0
    settled_at: float | None = None
    event_id: str | None = None
    reason: str | None = None

    @property
    def event(self) -> BatchProcessingCompleted | None:
        return BatchProcessingCompleted.model_validate_json(self.json) if self.json else None

    @property
    def free_at(self) -> float:
        return max(self.due_at, self.lease_until)

    def settle(self, outcome: Outcome, now: float, *, keeps_texts: bool) -> None:
        self.token, self.lease_until, self.due_at = None, 0.0, now
        match outcome:
            case Published(_, event_id):
                self.state, self.settled_at, self.event_id = PUBLISHED, now, event_id
                self.json = self.json if keeps_texts else None
            case Rejected(_, reason):
                self.state, self.settled_at, self.reason = REJECTED, now, reason
                self.attempts += 1
            case Postponed(_, delay_seconds, reason, is_attempt):
                self.due_at, self.reason = now + delay_seconds, reason
                self.attempts += is_attempt

    def record(self, interaction_id: UUID) -> OutboxRecord:
        return OutboxRecord(
            interaction_id=interaction_id,
            tenant_id=self.tenant_id,
            state=self.state,
            added_at=datetime.fromtimestamp(self.added_at, UTC),
            attempts=self.attempts,
            due_at=datetime.fromtimestamp(self.due_at, UTC) if self.state is WAITING else None,
            published_at=datetime.fromtimestamp(self.settled_at or 0, UTC) if self.event_id else None,
            event_id=self.event_id,
            reason=self.reason,
            event=self.event,
        )


class InMemoryOutbox(OutboxPort):
    """Keeps events as JSON until the process ends: nothing here survives a crash.

    Args:
        clock: seconds since 1970.
        keep_days: how long the texts of published events are kept; 0 for not at all.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, keep_days: float = 0.0) -> None:
        self._clock = clock
        self._keep_seconds = keep_days * SECONDS_A_DAY
        self._lock = Lock()
        self._kept: dict[UUID, _Kept] = {}

    def add(self, event: BatchProcessingCompleted, /, *, lease_seconds: float = 0.0) -> Claim:
        """Keep the event, unless it is kept already."""
        claim, json = Claim(event, uuid4(), attempts=0), event.to_json()
        with self._lock:
            now = self._clock()
            lease_until = now + lease_seconds if lease_seconds > 0 else 0.0
            kept = _Kept(json, event.tenant_id, claim.token, now, now, lease_until)
            self._kept.setdefault(event.interaction_id, kept)
        return claim

    def claim_due(self, limit: int, /, *, lease_seconds: float) -> tuple[Claim, ...]:
        """Lend what is due, oldest first."""
        with self._lock:
            now, token = self._clock(), uuid4()
            free = sorted((kept for kept in self._waiting() if kept.free_at <= now), key=_due_at)[:limit]
            for kept in free:
                kept.token, kept.lease_until = token, now + lease_seconds
            return tuple(Claim(kept.event, token, kept.attempts) for kept in free if kept.event)

    def record(self, outcomes: Sequence[Outcome], /) -> int:
        """Settle what is owned by those who report."""
        with self._lock:
            return sum(self._settle(outcome) for outcome in outcomes)

    def counts(self) -> OutboxCounts:
        """Count what is kept."""
        with self._lock:
            states = Counter(kept.state for kept in self._kept.values())
            now = self._clock()
            oldest = max((now - kept.added_at for kept in self._waiting()), default=0.0)
        return OutboxCounts(states[WAITING], states[REJECTED], states[PUBLISHED], max(0.0, oldest))

    def seconds_until_due(self) -> float | None:
        """Look for what is free first."""
        with self._lock:
            free_at = min((kept.free_at for kept in self._waiting()), default=None)
            return None if free_at is None else max(0.0, free_at - self._clock())

    def find(self, interaction_id: UUID, /) -> OutboxRecord | None:
        """Look one event up."""
        with self._lock:
            kept = self._kept.get(interaction_id)
            return kept.record(interaction_id) if kept else None

    def records(self, state: OutboxState | None = None, /, *, limit: int = 100) -> tuple[OutboxRecord, ...]:
        """List what was added last."""
        with self._lock:
            wanted = [(key, kept) for key, kept in self._kept.items() if state in (None, kept.state)]
        latest = sorted(wanted, key=lambda pair: pair[1].added_at, reverse=True)[:limit]
        return tuple(kept.record(interaction_id) for interaction_id, kept in latest)

    def retry(self, interaction_ids: Sequence[UUID] | None = None, /) -> int:
        """Make events due now: those that are named, or every rejected one."""
        with self._lock:
            if interaction_ids is None:
                chosen = [kept for kept in self._kept.values() if kept.state is REJECTED]
            else:
                named = (kept for key, kept in self._kept.items() if key in interaction_ids)
                chosen = [kept for kept in named if kept.state is not PUBLISHED]
            for kept in chosen:
                kept.state, kept.due_at, kept.settled_at = WAITING, self._clock(), None
            return len(chosen)

    def drop_texts(self, limit: int, /) -> int:
        """Drop the texts of what was published long enough ago."""
        with self._lock:
            before = self._clock() - self._keep_seconds
            texts = (kept for kept in self._kept.values() if kept.state is PUBLISHED and kept.json)
            old = [kept for kept in texts if (kept.settled_at or 0) <= before][:limit]
            for kept in old:
                kept.json = None
            return len(old)

    def prune(self, *, older_than_days: float, rejected: bool = False) -> int:
        """Forget what was settled long enough ago."""
        states = (PUBLISHED, REJECTED) if rejected else (PUBLISHED,)
        with self._lock:
            limit = self._clock() - older_than_days * SECONDS_A_DAY
            kept = self._kept.items()
            old = [key for key, one in kept if one.state in states and (one.settled_at or 0) <= limit]
            for key in old:
                del self._kept[key]
            return len(old)

    def _waiting(self) -> Iterator[_Kept]:
        return (kept for kept in self._kept.values() if kept.state is WAITING)

    def _settle(self, outcome: Outcome) -> bool:
        kept = self._kept.get(outcome.claim.interaction_id)
        if kept is None or kept.state is not WAITING or kept.token != outcome.claim.token:
            return False
        kept.settle(outcome, self._clock(), keeps_texts=self._keep_seconds > 0)
        return True


def _due_at(kept: _Kept) -> float:
    return kept.due_at


@dataclass
class _Key:
    """A key in an `InMemoryIdempotency`; it expires with the lease, then with the answer."""

    fingerprint: str
    token: UUID
    expires_at: float
    answer: str | None = None


class InMemoryIdempotency(IdempotencyPort):
    """Remembers keys until the process ends.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[tuple[UUID, str], _Key] = {}

    def begin(
        self, tenant_id: UUID, key: str, fingerprint: str, /, *, lease_seconds: float
    ) -> Reservation | FirstAnswer:
        """Be the first with a key, or look at who was."""
        with self._lock:
            found = self._keys.get((tenant_id, key))
            if found is None or found.expires_at <= self._clock():
                reservation = Reservation(tenant_id, key, uuid4())
                expires_at = self._clock() + lease_seconds
                self._keys[tenant_id, key] = _Key(fingerprint, reservation.token, expires_at)
                return reservation
        if found.fingerprint != fingerprint:
            raise IdempotencyConflictError("This idempotency key was used with another recording.")
        if found.answer is None:
            raise IdempotencyInProgressError(
                "The first request with this idempotency key is still in progress."
            )
        return FirstAnswer(found.answer)

    def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
        """Let the reservation hold for longer."""
        with self._lock:
            if (key := self._owned(reservation)) is None:
                return False
            key.expires_at = self._clock() + lease_seconds
            return True

    def finish(self, reservation: Reservation, answer_json: str, /) -> bool:
        """Keep the answer."""
        with self._lock:
            if (key := self._owned(reservation)) is None:
                return False
            key.answer, key.expires_at = answer_json, self._clock() + SECONDS_A_DAY
            return True

    def abandon(self, reservation: Reservation, /) -> bool:
        """Free the key."""
        with self._lock:
            if self._owned(reservation) is None:
                return False
            del self._keys[reservation.tenant_id, reservation.key]
            return True

    def prune(self) -> int:
        """Erase what has expired."""
        with self._lock:
            old = [name for name, key in self._keys.items() if key.expires_at <= self._clock()]
            for name in old:
                del self._keys[name]
            return len(old)

    def _owned(self, reservation: Reservation) -> _Key | None:
        key = self._keys.get((reservation.tenant_id, reservation.key))
        return key if key and key.token == reservation.token and key.answer is None else None


@dataclass
class _Processed:
    """An event in an `InMemoryProcessedEvents`; without a token it is done."""

    token: UUID | None
    expires_at: float


class InMemoryProcessedEvents(ProcessedEventsPort):
    """Remembers events until the process ends; every instance is a group of its own.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._events: dict[EventKey, _Processed] = {}

    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        """Hold what is new or forgotten."""
        with self._lock:
            return tuple(self._claim(key, self._clock() + lease_seconds) for key in keys)

    def renew(self, holds: Sequence[Hold], /, *, lease_seconds: float) -> int:
        """Go on holding."""
        with self._lock:
            owned = [self._events[hold.key] for hold in holds if self._owns(hold)]
            for event in owned:
                event.expires_at = self._clock() + lease_seconds
            return len(owned)

    def finish(self, holds: Sequence[Hold], /, *, remember_seconds: float) -> None:
        """Remember them."""
        with self._lock:
            for hold in holds:
                self._events[hold.key] = _Processed(None, self._clock() + remember_seconds)

    def give_up(self, holds: Sequence[Hold], /) -> None:
        """Forget that they were held."""
        with self._lock:
            for hold in filter(self._owns, holds):
                del self._events[hold.key]

    def prune(self) -> int:
        """Erase what has expired."""
        with self._lock:
            old = [key for key, event in self._events.items() if event.expires_at <= self._clock()]
            for key in old:
                del self._events[key]
            return len(old)

    def _claim(self, key: EventKey, until: float) -> Hold | Standing:
        event = self._events.get(key)
        if event is None or event.expires_at <= self._clock():
            hold = Hold(key, uuid4())
            self._events[key] = _Processed(hold.token, until)
            return hold
        return Standing.TAKEN if event.token else Standing.DONE

    def _owns(self, hold: Hold) -> bool:
        event = self._events.get(hold.key)
        return event is not None and event.token == hold.token
