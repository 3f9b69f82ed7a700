"""Fixture of the dead-letter tests."""

import pytest

from tests.support.harness.dead_letters import Ground


@pytest.fixture
def ground() -> Ground:
    return Ground()
