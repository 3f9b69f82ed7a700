"""Installations as in the documents: without an engine, by the container's commands, with all extras."""

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import pytest
import urllib3

from bootstrap.aws.embedded import embedded_aws
from entrypoints.cli.commands.demo import RECORDING
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

ROOT = Path(__file__).parents[2]
UV = ROOT / ".uv" / "bin" / "uv"
OTHER_USER = 65534


class User(NamedTuple):
    """Return the service's user as arguments for `subprocess`: another user if this one is root."""

    arguments: dict[str, Any]

    @classmethod
    def other(cls) -> "User":
        other = {"user": OTHER_USER, "group": OTHER_USER, "extra_groups": []}
        return cls(other if os.geteuid() == 0 else {})

    def own(self, folder: Path) -> Path:
        """Give a folder to the user."""
        folder.mkdir(exist_ok=True)
        if self.arguments:
            os.chown(folder, OTHER_USER, OTHER_USER)
        return folder

    def python(self, folder: Path) -> Path:
        """Copy the container's Python, or else this one: the original may be in the home of another user."""
        containers = Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13")
        ask = [
            next(containers, sys.executable),
            "-c",
            "import sys; print(sys.base_prefix, sys.version_info[1])",
        ]
        prefix, minor = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()
        library = f"lib/python3.{minor}"
        left_out = shutil.ignore_patterns("site-packages", "test", "__pycache__", "config-*")
        shutil.copytree(Path(prefix) / library, folder / library, ignore=left_out)
        for shared in Path(prefix).glob("lib/libpython*.so*"):
            shutil.copy(shared, folder / "lib")
        (folder / "bin").mkdir()
        copy = shutil.copy(Path(prefix) / f"bin/python3.{minor}", folder / "bin" / "python")
        works = [copy, "-c", "import ssl, sqlite3, ensurepip"]
        subprocess.run(works, check=True, cwd="/", env=shared_libraries(folder), **self.arguments)
        return Path(copy)


def shared_libraries(python: Path) -> dict[str, str]:
    """Return the path of the library to which a copied Python may be linked."""
    return {"LD_LIBRARY_PATH": str(python / "lib")}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="installation-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def checkout(folder: Path) -> Path:
    """Copy the files of this working tree that git tracks."""
    place = folder / "checkout"
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in files.stdout.splitlines():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return place


@contextmanager
def serving(command: list[str], user: User, cwd: Path, **environ: str) -> Iterator[int]:
    """Run the service until it is ready; SIGTERM must end it with 0."""
    port = free_port()
    own = {"PORT": str(port), "TRANSCRIBER_WORKERS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user.arguments}
    with subprocess.Popen(command, cwd=cwd, env=environ | own, **options) as process:
        try:
            wait_until(lambda: process.poll() is not None or is_ready(port))
            assert process.poll() is None, "the service ended by itself"
            yield port
            process.send_signal(signal.SIGTERM)
            assert process.wait(300) == 0
        finally:
            process.kill()


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def transcribed(port: int) -> dict[str, Any]:
    answer = urllib3.request(
        "POST",
        f"http://127.0.0.1:{port}/batch/process",
        fields={"file": ("demo.ogg", RECORDING.read_bytes())},
        timeout=300,
    )
    assert answer.status == 200, answer.data
    body: dict[str, Any] = answer.json()
    return body


def test_the_base_installation_serves_consumers_and_operators_without_an_engine(folder: Path) -> None:
    environment = folder / "venv"
    sync = [
        str(UV),
        "sync",
        "--quiet",
        "--locked",
        "--no-default-groups",
        "--python",
        sys.executable,
        "--project",
        str(ROOT),
    ]
    subprocess.run(sync, env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)}, check=True)
    installed = {path.name for path in environment.glob("lib/*/site-packages/*")}
    assert not installed & {"av", "numpy", "faster_whisper", "fastapi", "uvicorn", "moto", "pyarrow"}

    with embedded_aws() as aws:
        # other tests of this process may have left messages in queues with the default names
        aws |= {"RULE_NAME": "base-rule", "QUEUE_NAME": "base-queue", "DLQ_NAME": "base-dlq"}

        def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
            command = [str(environment / "bin" / "transcripts"), *arguments]
            return subprocess.run(command, env=aws, cwd=folder, capture_output=True, text=True, check=False)

        for arguments in (("provision",), ("status",), ("verify",), ("dlq", "list"), ("schema",)):
            told = run(*arguments)
            assert told.returncode == 0, (arguments, told.stderr)
        consumed = run("consume", "--exec", "cat", "--drain")
        refused = run("serve"), run("process", str(RECORDING)), run("demo")

    assert consumed.returncode == 0, consumed.stderr
    assert [told.returncode for told in refused] == [2, 2, 2]
    assert "transcripts serve needs fastapi" in refused[0].stderr
    assert "TRANSCRIBER=faster-whisper needs av" in refused[1].stderr
    assert "needs flask" in refused[2].stderr
    assert not any("batch-transcription[" in told.stderr for told in refused)


class Container:
    """Commands of a Dockerfile, run in a folder that replaces the root of its file system."""

    def __init__(self, folder: Path, python: Path) -> None:
        self._root = folder
        self._python = python
        self._lines = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
        self.environ = shared_libraries(python.parents[1])
        self._arguments: dict[str, str] = {}  # of the build, with their default values

    @property
    def home(self) -> Path:
        return self._root / "var/lib/batch-transcription"

    def build(self, context: Path) -> Iterator[str]:
        """Run the commands one by one; yield each line before it runs."""
        for line in self._lines:
            yield line
            match line.partition(" "):
                case "COPY", _, arguments if "--from" not in arguments:
                    *sources, target = arguments.split()
                    for source in sources:
                        self._copy(context / source, self._root / "app" / target)
                case "RUN", _, command if "useradd" not in command:
                    self._run(command)
                case "ARG", _, default:
                    name, _, value = default.partition("=")
                    self._arguments[name] = value
                case "ENV", _, assignments:
                    self.environ |= dict(each.split("=", 1) for each in self._here(assignments).split())

    def commands(self) -> tuple[list[str], list[str]]:
        """Run the service and the health check with the container's own Python, on loopback only."""
        exec_forms = (re.search(r"CMD (\[.+\])$", line) for line in self._lines)
        health, service = sorted((json.loads(found[1]) for found in exec_forms if found), key=len)
        programs = self._root / "venv" / "bin"
        return (
            [str(programs / service[0]), *service[1:-1], "127.0.0.1"],
            [str(programs / health[0]), *health[1:]],
        )

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def _run(self, command: str) -> None:
        """Run as the user of the tests: no user of the container is created, and pip may use its cache."""
        command = self._here(command).replace(" -o transcripts", "").replace(" --no-cache-dir", "")
        path = {"PATH": f"{self._python.parent}:{os.environ['PATH']}"}
        environment = {**os.environ, **self._arguments, **self.environ, **path}
        subprocess.run(command, shell=True, cwd=self._root / "app", env=environment, check=True)  # noqa: S602 - our own file

    def _here(self, text: str) -> str:
        text = re.sub(r"(?<![\w/])/(venv|var/lib)(?=[/\s:])", rf"{self._root}/\1", text + " ").strip()
        return Template(text).safe_substitute(self._arguments, PATH=os.environ["PATH"])


def started_by_the_procfile(folder: Path, context: Path, user: User) -> None:
    """Run with only the requirements installed, from a folder of the user."""
    program, *command = shlex.split((context / "Procfile").read_text(encoding="utf-8").removeprefix("web: "))
    home = user.own(folder / "home")
    environ = {"DATA_DIR": str(home), "EVENT_TRANSPORT": "memory", **shared_libraries(folder / "python")}
    with serving([str(folder / "root/venv/bin" / program), *command], user, context, **environ) as port:
        assert transcribed(port)["event"]["status"] == "published"


def test_the_containers_commands_give_a_service_that_keeps_what_waits(folder: Path) -> None:
    """Run from an empty folder, as another user, with the unchanged `.env.example` and the Procfile."""
    context, user = checkout(folder), User.other()
    container = Container(folder / "root", user.python(folder / "python"))
    (folder / "root" / "app").mkdir(parents=True)
    for line in container.build(context):
        if line == "RUN /venv/bin/pip install --no-cache-dir --no-deps .":
            started_by_the_procfile(folder, context, user)
    user.own(container.home)
    example = dict(
        line.split("=", 1)
        for line in (context / ".env.example").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    bus = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    environ = container.environ | example | {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}"}
    service, health = container.commands()

    with serving(service, user, container.home, **environ, **bus) as port:
        subprocess.run(health, env={**environ, "PORT": str(port)}, cwd="/", check=True)
        assert transcribed(port)["event"]["status"] == "queued"
    waiting = subprocess.run(
        [service[0], "outbox", "list", "--json"],
        env={**environ, **bus},
        cwd=container.home,
        capture_output=True,
        text=True,
        check=True,
        **user.arguments,
    )

    assert len(json.loads(waiting.stdout)["events"]) == 1
