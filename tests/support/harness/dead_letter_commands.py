"""`transcripts dlq` over queues in memory."""

from typing import Any, NamedTuple

import pytest

from bootstrap.settings import Settings
from domain.services.dead_letters.dead_letters import DeadLetters
from domain.services.dead_letters.redrive import FindErased, Redrive
from entrypoints.cli.commands import dlq
from tests.support.harness.command_line import PLACE_LINE, Caller, OnAws, Told
from tests.support.harness.dead_letters import Ground


class _Container(OnAws):
    """The container of the commands, over queues in memory."""

    def __init__(self, ground: Ground, erased: FindErased | None) -> None:
        self._ground = ground
        self._erased = erased

    def dead_letter_service(self) -> DeadLetters:
        return self._ground.service

    def redrive(self) -> Redrive:
        return self._ground.redrive(self._erased)


class Shop(NamedTuple):
    """Queues, and the command over them."""

    ground: Ground
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> Told:
        """Run the command; return exit code, stdout, and stderr after the line with region and account."""
        told = Caller(self.capsys)("dlq", *map(str, arguments))
        return told._replace(err=told.err.removeprefix(PLACE_LINE))

    def told(self, *arguments: object) -> dict[str, Any]:
        """Run a command that succeeds; return its JSON."""
        return self.run(*arguments, "--json").answer


def open_shop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, erased: FindErased | None = None
) -> Shop:
    """Replace the queues of AWS by queues in memory for the duration of the test."""
    ground = Ground()

    def container(settings: Settings, **_options: object) -> _Container:
        assert settings.dlq_name == "meeting-transcripts-dlq"
        return _Container(ground, erased)

    monkeypatch.setattr(dlq, "build_container", container)
    return Shop(ground, capsys)
