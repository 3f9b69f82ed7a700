"""The contracts on the stores that last as long as the process."""

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
        port = InMemoryOutbox(clock)

        def keeping(days: float) -> InMemoryOutbox:
            other = InMemoryOutbox(clock, keep_days=days)
            other._kept = port._kept
            return other

        return KeptOutbox(port, clock, keeping)


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
