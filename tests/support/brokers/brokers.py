"""Redis and RabbitMQ for tests: servers of the PATH, or those at TEST_REDIS_URL and TEST_RABBITMQ_URL.

A test that stops and starts a broker has one of its own. Servers end by their process ids.
"""

import os
import shutil
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.brokers.programs import SYSTEM_PROGRAMS, answers, end, spawn
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

REDIS, RABBITMQ = "redis", "rabbitmq"
PROGRAMS = {REDIS: "redis-server", RABBITMQ: "rabbitmq-server"}
PASSWORD = "sesame-7b1c54c5"
"""Password of Redis here, to look for in logs."""
RABBITMQ_SCRIPTS = Path("/usr/lib/rabbitmq/bin")
"""Debian's scripts on the PATH change to a user of their own; these do not."""


class BrokerMissingError(Exception):
    """Error: a broker is neither on the PATH nor at a URL; the message says what to do."""


class Broker(Protocol):
    """Broker that a test can stop and start again."""

    url: str

    @abstractmethod
    def start(self) -> None:
        """Start the broker, and wait until it answers."""
        ...

    @abstractmethod
    def stop(self) -> None:
        """End the broker."""
        ...


class RedisServer(Broker):
    """Redis without a disk: a stop loses all messages."""

    def __init__(self, program: str, folder: Path) -> None:
        self._port, self._program, self._folder = free_port(), program, folder
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = {"port": self._port, "bind": "127.0.0.1", "save": "", "requirepass": PASSWORD}
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = spawn([self._program, *arguments], self._folder, os.environ)
        wait_until(lambda: answers(self._port))

    def stop(self) -> None:
        end(self._process)


class RabbitMqServer(Broker):
    """RabbitMQ with a folder of its own: messages survive a stop. It brings its own port mapper, epmd."""

    def __init__(self, program: str, folder: Path) -> None:
        self._port, self._mapper_port, self._folder = free_port(), free_port(), folder
        installed = RABBITMQ_SCRIPTS / "rabbitmq-server"
        self._program = str(installed) if os.geteuid() == 0 and installed.exists() else program
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}//"
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": f"test{self._port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def start(self) -> None:
        mapper = ["epmd", "-address", "127.0.0.1", "-port", str(self._mapper_port)]
        self._mapper = spawn(mapper, self._folder, self._environment)
        wait_until(lambda: answers(self._mapper_port))
        self._process = spawn([self._program], self._folder, self._environment)
        wait_until(lambda: answers(self._port) or self._process.poll() is not None, seconds=120)
        assert self._process.poll() is None, (self._folder / "output.log").read_text()[-3000:]

    def stop(self) -> None:
        end(self._process)
        end(self._mapper)


class BrokerElsewhere(Broker):
    """Broker at a URL, which tests leave running."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """Leave it as it is."""

    def stop(self) -> None:
        """Leave it as it is."""


@contextmanager
def running(kind: str, folder: Path, *, own: bool = False) -> Iterator[Broker]:
    """Run a broker while the context lasts; skip the test where there is none, and fail it in CI.

    With `own`, the test may stop and start it.
    """
    broker = _found(kind, folder, own=own)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def find(kind: str, environ: Mapping[str, str], *, own: bool) -> str:
    """Return the URL of a broker, or the path of its program.

    Raises:
        BrokerMissingError: there is neither.
    """
    url = environ.get(f"TEST_{kind.upper()}_URL")
    if url and not own:
        return url
    program = shutil.which(PROGRAMS[kind], path=f"{environ.get('PATH', '')}:{SYSTEM_PROGRAMS}")
    if program is None:
        raise BrokerMissingError(
            f"{PROGRAMS[kind]} is not on the PATH: `apt-get install {PROGRAMS[kind]}`"
            + ("." if own else f", or set TEST_{kind.upper()}_URL.")
        )
    return program


def _found(kind: str, folder: Path, *, own: bool) -> Broker:
    try:
        place = find(kind, os.environ, own=own)
    except BrokerMissingError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    if "://" in place:
        return BrokerElsewhere(place)
    return RedisServer(place, folder) if kind == REDIS else RabbitMqServer(place, folder)
