"""Start and refusal of the tests' LocalStack, and its messages."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration import localstack as ground
from tests.integration.conftest import Names
from tests.support.harness.ports import free_port


def test_every_service_answers_at_one_address(localstack: str, aws: Callable[..., Any], names: Names) -> None:
    queue_url = aws("sqs").create_queue(QueueName=names.queue)["QueueUrl"]

    assert ground.is_healthy(localstack)
    assert queue_url.startswith(localstack.rpartition(":")[0])
    assert aws("events").create_event_bus(Name=names.bus)["EventBusArn"].endswith(names.bus)


def test_a_second_process_of_the_run_uses_the_same_localstack(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')

    assert ground.shared(tmp_path).url == "http://127.0.0.1:1"


def test_localstack_is_skipped_only_on_request() -> None:
    assert not ground.skip_requested({})
    assert not ground.skip_requested({"SKIP_LOCALSTACK": "0"})
    assert ground.skip_requested({"SKIP_LOCALSTACK": "1"})


def test_skipping_localstack_in_ci_is_a_failure() -> None:
    with pytest.raises(ground.LocalStackMissingError, match="CI=true: run `make test`"):
        ground.skip_requested({"SKIP_LOCALSTACK": "1", "CI": "true"})


def test_a_missing_installation_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(ground.LocalStackMissingError, match="run `make test`"):
        ground.start(tmp_path, python=tmp_path / "absent")


def test_a_failed_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(ground.LocalStackMissingError, match=r"(?s)ended by itself.*No module named"):
        ground.start(tmp_path, python=Path(sys.executable))


def test_an_address_where_nothing_answers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")

    assert ground.already_running() is None


def test_a_localstack_elsewhere_is_used_where_the_environment_names_it(
    localstack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_HOST", localstack.removeprefix("http://"))

    assert ground.already_running() == localstack
