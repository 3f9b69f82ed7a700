"""What docs/consumers.md tells a newcomer to write does what it says."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

from bootstrap.runtime.handlers import command_handler, function_handler
from domain.model.consuming.received import ReceivedEvent
from domain.services.consuming.consumer import Consumer
from tests.support.samples.factories import an_event

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "consumers.md").read_text(encoding="utf-8")


def written(name: str) -> str:
    """What the guide puts into a file."""
    (content,) = re.findall(
        rf"^cat > {re.escape(name)} <<'END'\n(.*?\n)END$", GUIDE, re.MULTILINE | re.DOTALL
    )
    return str(content)


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.process
def test_the_command_keeps_the_event(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "handle.sh").write_text(written("handle.sh"))
    (line,) = re.findall(r"--exec '(sh handle\.sh)'", GUIDE)
    event = an_event()

    command_handler(line, timeout_seconds=30).handle(ReceivedEvent(event))

    assert (tmp_path / f"{event.interaction_id}.json").read_text() == event.to_json()
    assert f"tenant {event.tenant_id}, try 1" in capfd.readouterr().err


def test_the_function_prints_ids_and_lengths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.py").write_text(written("shop.py"))
    event = an_event(cleaned_transcript="Hello.")

    function_handler("shop:store").handle(ReceivedEvent(event))

    assert capsys.readouterr().out == f"{event.tenant_id} {event.interaction_id} 6 characters\n"


def test_the_program_builds_a_consumer_and_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    ran: list[Consumer] = []

    def note(consumer: Consumer) -> None:
        ran.append(consumer)

    monkeypatch.setattr(Consumer, "run", note)

    Path("program.py").write_text(program)
    names = runpy.run_path("program.py")

    names["Shop"]().handle(ReceivedEvent(an_event()))
    assert ran == [names["consumer"]]


def test_the_message_has_the_keys_of_an_event() -> None:
    (sample,) = re.findall(r"^```json\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL)

    assert list(json.loads(sample)["detail"]) == list(json.loads(an_event().to_json()))
