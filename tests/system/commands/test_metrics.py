"""METRICS_PORT on each command that works for long: scraped over HTTP, and taken ports are told."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from tests.support.aws.moto_server import moto_server
from tests.support.aws.sqs_queues import create_pair
from tests.support.doubles.stub_bus import StubBus
from tests.support.harness.installed_command import PROGRAM, clean_environment, serving
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until
from tests.support.prometheus.scrapes import Scrape
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import an_event
from tests.support.samples.recordings import record, tone

pytestmark = [pytest.mark.slow, pytest.mark.process]

ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
    "AWS_REGION": "us-east-1",
}
COMMANDS = (
    ("serve", "--port", "0"),
    ("worker",),
    ("relay",),
    ("consume", "--exec", "true"),
)


class Target:
    """Metrics of a process on a port of their own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.environ = {"METRICS_PORT": str(self.port)}

    def scrape(self) -> Scrape | None:
        """Scrape the process; None before it listens."""
        try:
            answer = urllib3.request(
                "GET", f"http://127.0.0.1:{self.port}/metrics", retries=False, timeout=240
            )
        except urllib3.exceptions.HTTPError:
            return None
        assert answer.status == 200
        return Scrape.of(answer.data.decode())

    def value(self, name: str, **labels: str) -> float | None:
        scrape = self.scrape()
        return None if scrape is None else scrape.value(name, **labels)

    def until(self, name: str, value: float, **labels: str) -> None:
        """Wait until a metric has a value; counts of the database are kept for some seconds."""
        wait_until(lambda: self.value(name, **labels) == value)


@contextmanager
def running(*arguments: str, environ: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [PROGRAM, *arguments], env=clean_environment(**environ), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    return process.returncode


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_serve_tells_of_requests_transcriptions_and_restarted_workers(tmp_path: Path) -> None:
    target = Target()
    recording = record(tmp_path / "a.flac", tone(3.0)).read_bytes()
    with serving(tmp_path, TRANSCRIBER="canned", **target.environ) as (url, process):
        fields = {"file": ("a.flac", recording)}
        assert urllib3.request("POST", f"{url}/batch/process", fields=fields).status == 200
        target.until("answers_total", 1, event_status="published")  # counted once the answer is sent
        scrape = target.scrape()
        for each in children(process.pid):
            os.kill(each, signal.SIGKILL)
        wait_until(lambda: target.value("transcriber_restarts_total", reason="crashed"))
        target.until("transcriber_workers", 1, state="ready")
        code = end(process)

    assert code == 0
    assert scrape
    assert scrape.value("answers_total", event_status="published") == 1
    assert scrape.value("transcription_audio_seconds_total", engine="canned") == pytest.approx(3.0, abs=0.1)
    assert scrape.value("transcriber_restarts_total", reason="crashed") == 0
    assert scrape.value("outbox_events", state="waiting") == 0
    assert scrape.value("process_start_time_seconds")
    assert target.scrape() is None


def test_a_relay_tells_of_the_outbox_and_its_own_state(tmp_path: Path) -> None:
    target, database = Target(), prepare_database(f"sqlite:///{tmp_path}/t.db")
    with StubBus() as bus:
        environ = {**ACCOUNT, **target.environ, "AWS_ENDPOINT_URL": bus.url}
        with running("relay", environ={**environ, "DATABASE_URL": f"sqlite:///{tmp_path}/t.db"}) as process:
            wait_until(target.scrape)
            SqlOutbox(database).add(an_event())
            target.until("outbox_delivery_seconds_count", 1, path="relay")
            target.until("outbox_events", 1, state="published")
            scrape = target.scrape()
            code = end(process)
    database.close()

    assert code == 0
    assert scrape
    assert scrape.value("relay_paused", reason="bus") == 0
    assert scrape.value("relay_last_beat_timestamp_seconds")
    assert scrape.value("route_broken", link="rule") == 0
    assert scrape.value("transcriber_waiting") is None


def test_a_worker_tells_of_jobs_and_its_engine(tmp_path: Path) -> None:
    target = Target()
    environ = {"TRANSCRIBER": "canned", "TRANSCRIBER_WORKERS": "1", "EVENT_TRANSPORT": "noop"}
    places = {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": f"sqlite:///{tmp_path}/t.db"}
    with running("worker", environ={**environ, **places, **target.environ}) as process:
        wait_until(target.scrape)
        target.until("transcriber_workers", 1, state="ready")
        scrape = target.scrape()
        code = end(process)

    assert code == 0
    assert scrape
    assert scrape.value("jobs", state="queued") == 0
    assert scrape.value("relay_paused", reason="bus") is None  # there is no bus


def test_a_consumer_tells_of_its_messages(tmp_path: Path) -> None:
    target = Target()
    with moto_server() as endpoint:
        environ = {**ACCOUNT, **target.environ, "AWS_ENDPOINT_URL": endpoint, "QUEUE_NAME": "q"}
        sqs: Any = boto3.client(
            "sqs",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="made-up",
        )
        url = create_pair(sqs, "q", "q-dlq")
        for body in (enveloped(an_event()), enveloped(an_event()), "not json"):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        environ["DATABASE_URL"] = f"sqlite:///{tmp_path}/consumer.db"
        with running("consume", "--exec", "true", "--group", "crm", environ=environ) as process:
            target.until("consumer_events_total", 2, group="crm", outcome="handled")
            target.until("consumer_events_total", 1, group="crm", outcome="unreadable")
            scrape = target.scrape()
            end(process)

    assert scrape
    assert scrape.value("consumer_seconds_count", group="crm") == 2
    assert scrape.value("consumer_paused") == 0
    assert scrape.value("outbox_events", state="waiting") is None  # the outbox is the service's


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_port_that_is_taken_ends_the_start_with_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environ = {
            **ACCOUNT,
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "TRANSCRIBER": "canned",
            "EVENT_TRANSPORT": "eventbridge",
            "SPOOL_DIR": str(tmp_path / "spool"),
            "DATA_DIR": str(tmp_path / "data"),
            "METRICS_PORT": str(port),
        }
        told = subprocess.run(
            [PROGRAM, *command, "--json"],
            env=clean_environment(**environ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert told.returncode == 2
    assert told.stderr.splitlines()[-1].startswith(f"Error: METRICS_PORT={port}: cannot listen on 127.0.0.1:")
    assert "Traceback" not in told.stderr
    assert json.loads(told.stdout)["error"]["type"] == "ConfigurationError"
