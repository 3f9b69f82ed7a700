"""Fixtures of the tests of jobs."""

from pathlib import Path

import pytest

from tests.support.harness.jobs import JobHarness


@pytest.fixture
def harness(tmp_path: Path) -> JobHarness:
    return JobHarness(tmp_path)
