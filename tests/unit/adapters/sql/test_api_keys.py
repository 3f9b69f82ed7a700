"""The contract of API keys on every database."""

import pytest

from adapters.sql.api_keys import SqlApiKeys
from adapters.sql.database import Database
from domain.model.api_keys import KeyState
from tests.contracts.api_keys_port import ApiKeysPortContract, StoredKeys
from tests.support.databases.databases import Clock, Place, PostgreSqlServer
from tests.unit.adapters.sql.outbox.test_outbox import broken

pytestmark = pytest.mark.slow


class TestSqlApiKeys(ApiKeysPortContract):
    @pytest.fixture
    def keys(self, database: Database, clock: Clock) -> StoredKeys:
        port = SqlApiKeys(database, now=clock.in_sql)
        return StoredKeys(port, clock, lambda: SqlApiKeys(broken(database)))


def test_what_one_process_revokes_another_one_refuses_at_once(
    place: Place, database: Database, clock: Clock
) -> None:
    here = StoredKeys(SqlApiKeys(database), clock)
    key = here.add()
    other = place.open()
    assert here.state(key) is KeyState.ACTIVE  # what was read before is not kept

    assert SqlApiKeys(other).revoke(key.id)

    assert here.state(key) is KeyState.REVOKED
    other.close()


@pytest.mark.process
def test_a_look_survives_connections_that_broke(
    postgresql: PostgreSqlServer, postgresql_place: Place, clock: Clock
) -> None:
    database = postgresql_place.open()
    keys = StoredKeys(SqlApiKeys(database), clock)
    key = keys.add()

    assert postgresql.kill_backends(postgresql_place.url) > 0

    assert keys.state(key) is KeyState.ACTIVE
    database.close()
