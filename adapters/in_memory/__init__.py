"""Adapters that store in this process: for tests, and for running without a bus."""

from adapters.in_memory.api_keys import InMemoryApiKeys
from adapters.in_memory.bell import InProcessBell
from adapters.in_memory.erasures import InMemoryErasures
from adapters.in_memory.events import InMemoryEventPublisher
from adapters.in_memory.idempotency import InMemoryIdempotency
from adapters.in_memory.jobs import InMemoryJobs
from adapters.in_memory.outbox import InMemoryOutbox
from adapters.in_memory.payloads import InMemoryPayloadStore
from adapters.in_memory.processed_events import InMemoryProcessedEvents

__all__ = [
    "InMemoryApiKeys",
    "InMemoryErasures",
    "InMemoryEventPublisher",
    "InMemoryIdempotency",
    "InMemoryJobs",
    "InMemoryOutbox",
    "InMemoryPayloadStore",
    "InMemoryProcessedEvents",
    "InProcessBell",
]
