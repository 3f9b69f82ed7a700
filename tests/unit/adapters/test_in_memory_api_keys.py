"""The contract of API keys, in memory."""

import pytest

from adapters.in_memory import InMemoryApiKeys
from tests.contracts.api_keys_port import ApiKeysPortContract, StoredKeys
from tests.support.databases.databases import Clock


class TestInMemoryApiKeys(ApiKeysPortContract):
    @pytest.fixture
    def keys(self) -> StoredKeys:
        clock = Clock()
        return StoredKeys(InMemoryApiKeys(clock), clock)
