"""Fixture of the verification tests."""

import pytest

from tests.support.harness.verification import VerificationHarness


@pytest.fixture
def ground() -> VerificationHarness:
    return VerificationHarness()
