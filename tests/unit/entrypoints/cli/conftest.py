"""What the tests of commands share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness.command_line import Caller, calling


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Caller]:
    with calling(monkeypatch, capsys, tmp_path) as caller:
        yield caller
