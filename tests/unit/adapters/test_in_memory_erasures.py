"""The contract of erasures, in memory."""

import pytest

from adapters.in_memory import InMemoryErasures, InMemoryIdempotency, InMemoryJobs, InMemoryOutbox
from tests.contracts.erasure_port import ErasurePortContract, KeptErasures
from tests.support.databases.databases import Clock


class TestInMemoryErasures(ErasurePortContract):
    @pytest.fixture
    def kept(self) -> KeptErasures:
        clock = Clock()
        outbox, idempotency = InMemoryOutbox(clock), InMemoryIdempotency(clock)
        jobs = InMemoryJobs(outbox, clock)
        port = InMemoryErasures(jobs, outbox, idempotency, clock)
        return KeptErasures(port, jobs, outbox, idempotency, clock)
