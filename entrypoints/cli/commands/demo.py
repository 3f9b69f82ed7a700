"""`transcripts demo`: the main job on this machine, from a recording to the event in the queue."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.model.errors import TranscriptionServiceError
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import PathTo
from entrypoints.cli.views.output import console, print_json, printable

if TYPE_CHECKING:
    from bootstrap.container import Container

RECORDING = Path(__file__).parents[1] / "recordings" / "demo.ogg"
CODE = Path(__file__).parents[3]
READY_SECONDS = 60.0
ANSWER_SECONDS = 600.0
ARRIVAL_SECONDS = 30.0


@dataclass
class Steps:
    """Duration of each step, in the order of the steps."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)


@click.command("demo")
@click.argument(
    "recording",
    default=RECORDING,
    type=PathTo(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(recording: Path, *, as_json: bool) -> None:
    """Transcribe RECORDING (by default one that comes with the code) and show the event that a consumer gets.

    The service runs against an embedded AWS: no account, no keys, no network.
    """
    from bootstrap.aws.embedded import embedded_aws  # noqa: PLC0415 - slow to import

    steps = Steps()
    with embedded_aws() as environ:
        os.environ.clear()
        os.environ.update(environ)  # boto3 reads it
        container = build_container(configure())
        with steps.step("provision queue, dead-letter queue, rule and target"):
            provision(container)
        with _service(environ, steps) as url:
            with steps.step("upload, transcribe, clean, publish, answer"):
                answer = upload(url, recording)
            with steps.step("receive the event from the queue"):
                message = _receive(container)
    report = {"recording": recording.name, "answer": answer, "message": message, "seconds": steps.seconds}
    print_json(report) if as_json else _show(report)


def provision(container: "Container") -> None:
    """Create the route of the events.

    Raises:
        TranscriptionServiceError: the route does not work as provisioned.
    """
    provisioning = container.completed.infrastructure().provision()
    if not provisioning.ok:
        problems = " ".join(finding.problem for finding in provisioning.findings)
        raise TranscriptionServiceError(f"The route is broken: {problems}")


@contextmanager
def _service(environ: dict[str, str], steps: Steps) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    program = (sys.executable, "-m", "entrypoints.cli", "serve", "--port", str(port))
    path = os.pathsep.join(filter(None, (str(CODE), environ.get("PYTHONPATH"))))  # for a checkout
    environ = {**environ, "LOG_LEVEL": "WARNING", "PYTHONPATH": path}
    service = subprocess.Popen(program, env=environ, cwd="/")  # noqa: S603 - our own command, away from any `.env`
    try:
        with steps.step("start the service and load the engine"):
            wait_until_ready(url, service)
        yield url
    finally:
        service.terminate()
        service.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until_ready(url: str, service: "subprocess.Popen[bytes]", *, seconds: float = READY_SECONDS) -> None:
    """Poll the readiness of the service.

    Raises:
        TranscriptionServiceError: the service ended, or was not ready in time.
    """
    deadline = time.monotonic() + seconds
    while reason := _not_ready_because(url):
        if service.poll() is not None:
            raise TranscriptionServiceError(f"The service ended with exit status {service.returncode}.")
        if time.monotonic() > deadline:
            raise TranscriptionServiceError(
                f"The service did not become ready within {seconds:g} s: {printable(reason)}"
            )
        time.sleep(0.05)


def _not_ready_because(url: str) -> str | None:
    import urllib3  # noqa: PLC0415 - slow to import

    try:
        answer = urllib3.request("GET", f"{url}/health/ready", timeout=2, retries=False)
    except urllib3.exceptions.HTTPError:
        return "it does not answer."
    return None if answer.status == HTTPStatus.OK else str(answer.json()["reason"])


def upload(url: str, recording: Path) -> dict[str, Any]:
    """Upload a recording to the service and return its answer.

    Raises:
        TranscriptionServiceError: the service refused the recording.
    """
    import urllib3  # noqa: PLC0415 - slow to import

    answer = urllib3.request(
        "POST",
        f"{url}/batch/process",
        fields={"file": (printable(recording.name), recording.read_bytes())},
        headers={"X-User-ID": "demo"},
        timeout=ANSWER_SECONDS,
    )
    if answer.status != HTTPStatus.OK:
        raise TranscriptionServiceError(answer.json()["detail"])
    body: dict[str, Any] = answer.json()
    return body


def _receive(container: "Container") -> dict[str, Any]:
    queue = container.completed.queue()
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        for message in queue.receive(1, visibility_timeout=30, wait_seconds=5):
            envelope: dict[str, Any] = json.loads(message.body)
            queue.delete([message])
            return envelope
    raise TranscriptionServiceError(f"The event did not reach the queue within {ARRIVAL_SECONDS:g} s.")


def _show(report: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    out = console()
    for title, part in (
        ("Answer to the caller", report["answer"]),
        ("Message that a consumer received from the queue", report["message"]),
    ):
        out.rule(title, align="left")
        out.print_json(data=part)
    table = Table("step", "seconds", title=Text(printable(report["recording"])), title_justify="left")
    for name, seconds in report["seconds"].items():
        table.add_row(name, f"{seconds:.2f}")
    out.print(table)
