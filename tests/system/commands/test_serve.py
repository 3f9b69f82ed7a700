"""`transcripts serve` as a process: it starts, answers, and ends as a platform expects."""

import json
import os
import signal
import socket
import subprocess
import threading
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from entrypoints.api.server.server import console_url
from tests.support.harness.installed_command import PROGRAM, clean_environment, serving, transcripts
from tests.support.harness.service import multipart, post_head, wait_until
from tests.support.samples.recordings import record, speech, tone

pytestmark = [pytest.mark.slow, pytest.mark.process]

CANNED = {"TRANSCRIBER": "canned", "TRANSCRIBER_WORKERS": "1"}
"""Transcriber that starts quickly, for a service that ends before it transcribes."""


def test_a_recording_is_answered_and_sigterm_ends_the_service(tmp_path: Path) -> None:
    recording = record(tmp_path / "a.flac", tone(3.0))
    with serving(tmp_path, TRANSCRIBER="canned") as (url, process):
        answer = urllib3.request(
            "POST", f"{url}/batch/process", fields={"file": ("a.flac", recording.read_bytes())}
        )
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=300)

    assert answer.status == 200
    assert process.returncode == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines if line["logger"] == "entrypoints.api.app"] == [
        "service started",
        "service stopped",
    ]
    assert [file for file in (tmp_path / "spool").rglob("*") if file.is_file()] == []


def test_sigterm_finishes_what_is_in_flight(tmp_path: Path) -> None:
    recording = record(tmp_path / "speech.wav", speech()).read_bytes()
    answers: list[urllib3.BaseHTTPResponse] = []
    with serving(tmp_path) as (url, process):

        def call() -> None:
            fields = {"file": ("speech.wav", recording)}
            answers.append(urllib3.request("POST", f"{url}/batch/process", fields=fields, timeout=300))

        caller = threading.Thread(target=call)
        caller.start()
        wait_until(lambda: list((tmp_path / "spool").rglob("upload-*")))
        process.send_signal(signal.SIGTERM)
        caller.join(60)
        process.communicate(timeout=300)

    assert answers[0].status == 200
    assert answers[0].json()["event"]["status"] == "published"
    assert process.returncode == 0


def test_sigterm_does_not_wait_for_a_caller_that_sends_slowly(tmp_path: Path) -> None:
    body = multipart(b"x" * 10**7)
    with serving(tmp_path, TRANSCRIBER="canned", SHUTDOWN_GRACE_SECONDS="1") as (url, process):
        with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=300) as connection:
            connection.sendall(post_head(len(body)) + body[:6000])
            wait_until(lambda: list((tmp_path / "spool").rglob("upload-*")))
            process.send_signal(signal.SIGTERM)
            answer = b"".join(iter(partial(connection.recv, 65536), b""))
        process.communicate(timeout=300)

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"shutting-down" in answer
    assert process.returncode == 0


@pytest.mark.parametrize("headers", [{"X-User-ID": "x" * 100_000}])
def test_oversized_headers_are_refused_as_a_problem(tmp_path: Path, headers: dict[str, str]) -> None:
    with serving(tmp_path, TRANSCRIBER="canned") as (url, _):
        answer = urllib3.request("POST", f"{url}/batch/process", headers=headers, retries=False)

    assert answer.status == 431
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_port_that_is_taken_ends_the_start_with_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = subprocess.run(
            [PROGRAM, "serve", "--port", str(taken.getsockname()[1])],
            env=clean_environment(
                EVENT_TRANSPORT="noop", TRANSCRIBER="canned", SPOOL_DIR=str(tmp_path / "s")
            ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert result.returncode != 0
    assert "address already in use" in result.stderr


def refusal(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line of a start that ended for a wrong setting."""
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


def test_a_spool_that_others_can_read_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)

    result = transcripts(
        "serve", "--port", "0", **CANNED, EVENT_TRANSPORT="noop", SPOOL_DIR=str(tmp_path / "spool")
    )

    assert refusal(result).startswith("Error: SPOOL_DIR=")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATABASE_URL", "foo", "DATABASE_URL"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/events.db", "/proc/nowhere"),
        ("JOB_BROKER", "gopher://broker", "JOB_BROKER"),
    ],
)
def test_a_database_or_broker_that_cannot_be_used_ends_the_start_with_one_line(
    tmp_path: Path, variable: str, value: str, reason: str
) -> None:
    settings = {**CANNED, "EVENT_TRANSPORT": "memory", "SPOOL_DIR": str(tmp_path / "spool"), variable: value}

    result = transcripts("serve", "--port", "0", **settings)

    assert refusal(result).startswith("Error: ")
    assert reason in refusal(result)


def test_an_unknown_profile_ends_the_start_with_one_line(tmp_path: Path) -> None:
    settings = {**CANNED, "EVENT_TRANSPORT": "eventbridge", "SPOOL_DIR": str(tmp_path)}

    result = transcripts("serve", "--port", "0", AWS_PROFILE="unknown", **settings)

    assert refusal(result).startswith("Error: AWS_PROFILE='unknown'")


def test_health_stays_responsive_while_every_core_transcribes(tmp_path: Path) -> None:
    """The p99 is measured in benchmarks/; here the service only has to answer at all while it works."""
    recording = record(tmp_path / "speech.wav", speech()).read_bytes()
    with serving(tmp_path, TRANSCRIBER_WORKERS=str(len(os.sched_getaffinity(0)))) as (url, _):
        fields = {"file": ("speech.wav", recording)}
        upload = partial(
            urllib3.PoolManager(maxsize=4).request, "POST", f"{url}/batch/process", fields=fields
        )
        callers = [threading.Thread(target=upload) for _ in os.sched_getaffinity(0)]
        for caller in callers:
            caller.start()
        answers = [urllib3.request("GET", f"{url}/health/live", timeout=300).status for _ in range(50)]
        for caller in callers:
            caller.join(60)

    assert answers == [200] * 50


@pytest.mark.parametrize(
    ("environ", "warned"),
    [
        ({}, False),
        ({"HOST": "0.0.0.0"}, True),  # noqa: S104 - it is the fault
        ({"HOST": "0.0.0.0", "AUTH": "key"}, False),  # noqa: S104 - behind keys
    ],
    ids=["loopback", "open to others", "with keys"],
)
def test_a_service_that_believes_callers_on_other_machines_says_so(
    tmp_path: Path, environ: dict[str, str], *, warned: bool
) -> None:
    with serving(tmp_path, TRANSCRIBER="canned", **environ) as (_, process):
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=300)

    lines = [json.loads(line) for line in log.splitlines()]
    warnings = [line for line in lines if line["event"].startswith("callers are not authenticated")]
    assert [(line["level"], line["host"]) for line in warnings] == [("warning", "0.0.0.0")] * warned  # noqa: S104 - as above


@pytest.mark.parametrize("auth", ["gateway", "keys"])
def test_a_service_with_half_an_authentication_does_not_start(tmp_path: Path, auth: str) -> None:
    told = transcripts("serve", **CANNED, SPOOL_DIR=str(tmp_path / "spool"), AUTH=auth)

    assert told.returncode == 2
    assert ("TRUSTED_PROXIES" if auth == "gateway" else "AUTH='keys'") in told.stderr


def test_the_console_opens_in_the_browser_of_the_machine(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    with serving(tmp_path, "--open", TRANSCRIBER="canned", BROWSER=f"{browser} %s") as (url, _):
        wait_until(lambda: opened.exists() and opened.read_text().endswith("\n"))
        page = urllib3.request("GET", opened.read_text().strip())

    assert opened.read_text().strip() == f"{url}/console/"
    assert page.status == 200


def test_a_console_that_is_not_served_cannot_be_opened() -> None:
    ended = transcripts("serve", "--open", "--host", "0.0.0.0")  # noqa: S104 - it does not start

    assert ended.returncode == 2
    assert "--open needs CONSOLE=true, because 0.0.0.0 is no loopback address." in ended.stderr


@pytest.mark.parametrize(
    ("address", "root_path", "url"),
    [
        (("127.0.0.1", 8000), "", "http://127.0.0.1:8000/console/"),
        (("0.0.0.0", 80), "/speech", "http://127.0.0.1:80/speech/console/"),  # noqa: S104 - an address to show
        (("::1", 8000), "", "http://[::1]:8000/console/"),
    ],
)
def test_the_address_of_the_console_is_one_of_this_machine(
    address: tuple[str, int], root_path: str, url: str
) -> None:
    assert console_url(address, root_path) == url
