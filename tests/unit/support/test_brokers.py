"""Brokers for tests: found on the PATH or at a URL, or missed with what to do."""

from pathlib import Path

import pytest

from tests.support.brokers.brokers import RABBITMQ, REDIS, BrokerMissingError, find


def a_program(folder: Path, name: str) -> str:
    """Make a program of that name; return the folder as a PATH."""
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return str(folder)


def test_a_program_on_the_path_is_found(tmp_path: Path) -> None:
    path = a_program(tmp_path, "redis-server")

    assert find(REDIS, {"PATH": path}, own=False) == f"{path}/redis-server"


def test_a_running_broker_wins(tmp_path: Path) -> None:
    environ = {"PATH": a_program(tmp_path, "rabbitmq-server"), "TEST_RABBITMQ_URL": "amqp://elsewhere"}

    assert find(RABBITMQ, environ, own=False) == "amqp://elsewhere"


def test_a_test_that_stops_its_broker_leaves_the_running_one_alone(tmp_path: Path) -> None:
    path = a_program(tmp_path, "redis-server")
    environ = {"PATH": path, "TEST_REDIS_URL": "redis://elsewhere"}

    assert find(REDIS, environ, own=True) == f"{path}/redis-server"


def test_a_missing_broker_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.brokers.brokers.SYSTEM_PROGRAMS", str(tmp_path))

    with pytest.raises(BrokerMissingError, match=r"apt-get install redis-server.*TEST_REDIS_URL"):
        find(REDIS, {"PATH": str(tmp_path)}, own=False)
