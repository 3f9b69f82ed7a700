"""`transcripts dlq` over queues in memory."""

import json
from typing import Any, NamedTuple

import pytest

from bootstrap.aws import AwsAccess
from bootstrap.settings import Settings
from domain.services.dead_letters import DeadLetters
from domain.services.redrive import Redrive
from entrypoints.cli import dlq
from entrypoints.cli.main import main
from tests.dead_letters import Ground


class _Container:
    """What the commands ask for, over queues in memory."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def dead_letter_service(self) -> DeadLetters:
        return self._ground.service

    def redrive(self) -> Redrive:
        return self._ground.redrive()

    def aws_access(self) -> AwsAccess:
        return AwsAccess(region="us-east-1")


class Shop(NamedTuple):
    """Queues, and what the command answers about them."""

    ground: Ground
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        with pytest.raises(SystemExit) as ended:
            main(["dlq", *map(str, arguments)])
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    def told(self, *arguments: object) -> dict[str, Any]:
        """The JSON of a command that works."""
        code, out, _ = self.run(*arguments, "--json")
        assert code == 0
        answer: dict[str, Any] = json.loads(out)
        return answer


def open_shop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A shop whose queues stand in for those of AWS as long as the test lasts."""
    ground = Ground()

    def container(settings: Settings) -> _Container:
        assert settings.dlq_name == "meeting-transcripts-dlq"
        return _Container(ground)

    monkeypatch.setattr(dlq, "build_container", container)
    return Shop(ground, capsys)
