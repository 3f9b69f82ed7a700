"""The contracts of the outbox and of idempotency keys, in memory."""

import pytest

from adapters.in_memory import InMemoryIdempotency, InMemoryOutbox
from tests.contracts.idempotency_port import IdempotencyKeys, IdempotencyPortContract
from tests.contracts.outbox_port import KeptOutbox, OutboxPortContract
from tests.support.databases.databases import Clock
from tests.support.samples.factories import an_event


class TestInMemoryOutbox(OutboxPortContract):
    @pytest.fixture
    def kept(self) -> KeptOutbox:
        clock = Clock()
        return KeptOutbox(InMemoryOutbox(clock), clock, lambda days: InMemoryOutbox(clock, keep_days=days))


class TestInMemoryIdempotency(IdempotencyPortContract):
    @pytest.fixture
    def keys(self) -> IdempotencyKeys:
        clock = Clock()
        return IdempotencyKeys(InMemoryIdempotency(clock), clock)


def test_two_outboxes_share_nothing() -> None:
    InMemoryOutbox().add(an_event())

    assert InMemoryOutbox().counts().waiting == 0


def test_an_event_that_cannot_be_serialised_fails_here_as_in_a_database() -> None:
    outbox, broken = InMemoryOutbox(), an_event().model_copy(update={"data": object()})

    with pytest.raises(Exception, match="serializ"):
        outbox.add(broken)
    assert outbox.counts().waiting == 0
