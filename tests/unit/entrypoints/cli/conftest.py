"""What the tests of commands share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.aws import account
from tests.support.harness.command_line import A_PLACE, Caller, calling


@pytest.fixture(autouse=True)
def _account_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands of this process ask no STS."""
    monkeypatch.setattr(account, "place_of", lambda _access: A_PLACE)


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Caller]:
    with calling(monkeypatch, capsys, tmp_path) as caller:
        yield caller
