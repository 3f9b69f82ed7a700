"""Traces across processes: of a large upload, with a collector that swallows, and after a kill."""

import json
import signal
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from adapters.aws.trace_header import trace_header, traceparent
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.dialect import DatabaseNow
from bootstrap.factories.tracing import traced_events
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from tests.support.aws.moto_server import moto_server
from tests.support.aws.sqs_queues import create_pair
from tests.support.doubles.bus_faults import INTERNAL_ERROR
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults.relay_process import HOURS_LATER, container_on
from tests.support.faults.servers import CREDENTIALS, Server
from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.service import wait_until
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import A_TRACEPARENT, ANOTHER_TRACEPARENT, an_event, trace_of
from tests.support.samples.recordings import record, tone
from tests.support.telemetry.collector import Collector, ReceivedSpan
from tests.support.telemetry.spans import RecordedTrace, links_of

TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
SAMPLED = ANOTHER_TRACEPARENT[:-2] + "01"
LARGE_BYTES = 128 * 2**20
END_SECONDS = 240
"""Generous: the machine is slow and busy. The bound itself is held in this process, in test_export.py."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    return record(tmp_path / "a.wav", tone(0.5)).read_bytes()


def tracing_to(collector: Collector) -> dict[str, str]:
    """Variables of a process that exports its spans at once."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}


def upload(server: Server, recording: bytes, path: str = "/batch/process", **headers: str) -> dict[str, Any]:
    response = urllib3.request(
        "POST",
        f"{server.url}{path}",
        fields={"file": ("a.wav", recording)},
        headers={"X-Tenant-ID": TENANT, **headers},
        timeout=END_SECONDS,
        retries=False,
    )
    assert response.status in {200, 202}, response.data
    answer: dict[str, Any] = response.json()
    return answer


def in_trace(collector: Collector, context: str) -> list[ReceivedSpan]:
    return [span for span in collector.spans if span.trace_id == trace_of(context)]


def large_recording() -> bytes:
    """Build a recording of many bytes and few seconds: 32 bits, two channels, 192 kHz."""
    rate, frame = 192_000, 8
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + LARGE_BYTES, b"WAVE", b"fmt ", 16, 1, 2, rate, rate * frame, frame, 32),
        *(b"data", LARGE_BYTES),
    )
    return head + bytes(LARGE_BYTES)


def test_a_large_upload_has_few_spans_all_of_one_trace(
    new_server: Callable[..., Server], collector: Collector, bus: StubBus
) -> None:
    server = new_server(**tracing_to(collector))

    upload(server, large_recording(), traceparent=A_TRACEPARENT)
    wait_until(lambda: collector.named("send default") and collector.named("POST /batch/process"))

    counts = Counter(span.name for span in in_trace(collector, A_TRACEPARENT))
    assert counts.pop("recognise unit") >= 1
    assert set(counts) == {
        "POST /batch/process",
        "transcribe recording",
        "decode recording",
        "clean transcript",
        "create default",
        "send default",
    }
    assert counts.total() <= 10
    (created,) = collector.named("create default")
    (entry,) = bus.accepted
    assert entry["TraceHeader"] == trace_header(f"00-{created.trace_id}-{created.span_id}-01")


def test_a_job_is_linked_to_its_request_and_its_event_has_the_requests_trace(
    new_server: Callable[..., Server], collector: Collector, bus: StubBus, recording: bytes
) -> None:
    server = new_server(**tracing_to(collector))

    upload(server, recording, "/batch/jobs", traceparent=A_TRACEPARENT)
    wait_until(lambda: bus.accepted and collector.named("send default") and collector.named("process job"))

    (work,), (sent,) = collector.named("process job"), collector.named("send default")
    assert work.trace_id != trace_of(A_TRACEPARENT)
    assert work.links == sent.links == (trace_of(A_TRACEPARENT),)
    assert trace_of(traceparent(bus.accepted[0]["TraceHeader"])) == trace_of(A_TRACEPARENT)


def test_two_requests_in_one_batch_after_a_kill_have_each_their_own_trace(
    new_server: Callable[..., Server],
    collector: Collector,
    database_url: str,
    bus: StubBus,
    recording: bytes,
) -> None:
    server = new_server(**tracing_to(collector))
    bus.fail_always(INTERNAL_ERROR)
    ids = {
        upload(server, recording, traceparent=context)["interaction_id"]: context
        for context in (A_TRACEPARENT, SAMPLED)
    }
    server.kill()
    bus.fail_always(None)

    trace = RecordedTrace()
    container = container_on(database_url, bus.url)
    outbox = SqlOutbox(container.database(), now=DatabaseNow() + HOURS_LATER)
    events = traced_events(container.patient_sender(), trace, "default")
    relay = Relay(outbox, BatchDispatcher(events, container.breaker()), container.breaker())
    wait_until(lambda: relay.step() is not None and not outbox.counts().waiting)
    container.database().close()

    contexts = {
        json.loads(entry["Detail"])["interaction_id"]: traceparent(entry["TraceHeader"])
        for entry in bus.accepted
    }
    assert {key: trace_of(context) for key, context in contexts.items()} == {
        key: trace_of(context) for key, context in ids.items()
    }
    sent = trace.only("send default")  # one batch
    assert sorted(links_of(sent)) == sorted(filter(None, contexts.values()))
    assert sent.parent is None


def test_a_collector_that_swallows_changes_no_answer_and_no_end(
    new_server: Callable[..., Server], recording: bytes, tmp_path: Path
) -> None:
    with Collector(swallows=True) as swallowing:
        traced, plain = new_server(**tracing_to(swallowing)), new_server()

        answers = [upload(server, recording) for server in (traced, plain)]
        log = tmp_path / "server-0" / "log"
        wait_until(lambda: "traces cannot be exported" in log.read_text())
        ends = [_ended(server) for server in (traced, plain)]

    assert _alike(answers[0]) == _alike(answers[1])
    assert ends == [0, 0]
    lines = log.read_text()
    assert lines.count("traces cannot be exported") == 1
    assert "opentelemetry" not in lines


def _ended(server: Server) -> int:
    process = server._running()
    process.terminate()
    return process.wait(END_SECONDS)


def _alike(answer: dict[str, Any]) -> dict[str, Any]:
    """Leave out what differs from request to request."""
    return {
        **answer,
        "interaction_id": None,
        "event": {**answer["event"], "event_id": None},
    }


@pytest.mark.parametrize("command", ["relay", "worker"])
def test_every_process_ends_although_its_collector_swallows(
    command: str, database_url: str, bus: StubBus, tmp_path: Path
) -> None:
    with Collector(swallows=True) as swallowing:
        container = container_on(database_url, bus.url)
        container.outbox().add(an_event(), traceparent=A_TRACEPARENT)
        variables = {
            **CREDENTIALS,
            **tracing_to(swallowing),
            "EVENT_TRANSPORT": "eventbridge",
            "AWS_ENDPOINT_URL": bus.url,
            "DATABASE_URL": database_url,
            "TRANSCRIBER": "canned",
            "TRANSCRIBER_WORKERS": "1",
            "SPOOL_DIR": str(tmp_path / "spool"),
        }
        process = subprocess.Popen(
            [PROGRAM, command],
            env=clean_environment(**variables),
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        try:
            wait_until(lambda: bus.accepted and swallowing.requests)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=END_SECONDS)
        finally:
            process.kill()
            container.database().close()

    assert process.returncode == 0, log
    assert trace_of(traceparent(bus.accepted[0]["TraceHeader"])) == trace_of(A_TRACEPARENT)


@pytest.fixture
def sqs_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.mark.parametrize("is_traced", [True, False], ids=["traced", "untraced"])
def test_a_consumer_links_to_the_message_and_its_command_continues(
    collector: Collector, sqs_url: str, tmp_path: Path, *, is_traced: bool
) -> None:
    sqs: Any = boto3.client("sqs", endpoint_url=sqs_url, region_name="us-east-1")
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header(A_TRACEPARENT)}}
    sqs.send_message(
        QueueUrl=create_pair(sqs, "traced", "traced-dlq"),
        MessageBody=enveloped(an_event()),
        MessageSystemAttributes=header,
    )
    variables = {
        **CREDENTIALS,
        **(tracing_to(collector) if is_traced else {}),
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": sqs_url,
        "QUEUE_NAME": "traced",
        "DATABASE_URL": f"sqlite:///{tmp_path}/consumer.db",
    }

    subprocess.run(
        [PROGRAM, "consume", "--exec", "sh -c 'echo $TRACEPARENT > seen'", "--drain"],
        env=clean_environment(**variables),
        check=True,
        cwd=tmp_path,
        timeout=END_SECONDS,
    )

    seen = (tmp_path / "seen").read_text().strip()
    if not is_traced:
        assert (seen, collector.spans) == (A_TRACEPARENT, [])
        return
    wait_until(lambda: collector.named("process traced"))
    (processed,) = collector.named("process traced")
    assert processed.links == (trace_of(A_TRACEPARENT),)
    assert seen == f"00-{processed.trace_id}-{processed.span_id}-{seen[-2:]}"


def test_the_spans_of_the_last_moment_arrive(
    new_server: Callable[..., Server], collector: Collector, recording: bytes
) -> None:
    server = new_server(**{**tracing_to(collector), "OTEL_BSP_SCHEDULE_DELAY": "600000"})

    upload(server, recording)
    assert collector.spans == []
    assert _ended(server) == 0

    assert collector.named("POST /batch/process")
