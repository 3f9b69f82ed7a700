"""The contract of idempotency keys on every database."""

import pytest

from adapters.sql.database import Database
from adapters.sql.idempotency import SqlIdempotency
from tests.contracts.idempotency_port import IdempotencyKeys, IdempotencyPortContract
from tests.support.databases.databases import Clock
from tests.unit.adapters.sql.outbox.test_outbox import broken

pytestmark = pytest.mark.slow


class TestSqlIdempotency(IdempotencyPortContract):
    @pytest.fixture
    def keys(self, database: Database, clock: Clock) -> IdempotencyKeys:
        port = SqlIdempotency(database, now=clock.in_sql)
        return IdempotencyKeys(port, clock, lambda: SqlIdempotency(broken(database)))
