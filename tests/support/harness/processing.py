"""`transcripts process` in this process, with parts of its container replaced."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dependency_injector import providers

from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from entrypoints.cli.commands import process as process_command
from ports.transcriber_port import TranscriberPort

Adjust = Callable[[Container], object]


def process_here(monkeypatch: pytest.MonkeyPatch, adjust: Adjust, *arguments: str | Path) -> Result:
    """Run the command after a function has adjusted its container."""

    def build(settings: Settings) -> Container:
        container = build_container(settings)
        adjust(container)
        return container

    monkeypatch.setattr(process_command, "build_container", build)
    return CliRunner().invoke(process_command.command, list(map(str, arguments)))


def heard_by(transcriber: TranscriberPort) -> Adjust:
    """Replace the transcriber."""
    return lambda container: container.transcriber.override(providers.Object(transcriber))
