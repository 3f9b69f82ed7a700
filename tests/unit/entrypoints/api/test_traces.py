"""A span for each request: its name, what is known of it, and whose trace it is part of."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from logging import getLogger
from pathlib import Path

import pytest
from dependency_injector import providers
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from bootstrap.logs import TRACE_IDS, configure_logging
from bootstrap.settings import Settings
from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for
from tests.support.samples.factories import A_TRACEPARENT, ANOTHER_TRACEPARENT, trace_of
from tests.support.telemetry.spans import RecordedTrace, parent_of, traceparent_of

ROOT = Path(__file__).parents[4]
TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
UPLOAD = {"file": b"sound"}


class Service:
    """The service with recorded traces."""

    def __init__(self, folder: Path, engine: FixedTranscriber, root_path: str = "") -> None:
        self.trace = RecordedTrace()
        container = container_for(folder / "spool", engine, ROOT_PATH=root_path)
        container.trace.override(providers.Object(self.trace))
        self.api = TestClient(create_app(container), raise_server_exceptions=False)

    @property
    def request(self) -> ReadableSpan:
        """The one span of a server."""
        (span,) = [span for span in self.trace.spans if span.kind is SpanKind.SERVER]
        return span

    @property
    def attributes(self) -> dict[str, object]:
        return dict(self.request.attributes or {})


@pytest.fixture
def engine() -> FixedTranscriber:
    return FixedTranscriber()


@pytest.fixture
def service(tmp_path: Path, engine: FixedTranscriber) -> Service:
    return Service(tmp_path, engine)


def test_an_upload_is_a_span_with_its_route_and_status(service: Service) -> None:
    with service.api as api:
        assert api.post("/batch/process", files=UPLOAD).status_code == 200

    assert service.request.name == "POST /batch/process"
    assert service.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/batch/process",
        "url.path": "/batch/process",
        "url.scheme": "http",
    }
    assert service.request.status.is_unset


def test_the_work_on_an_upload_is_part_of_its_span(service: Service) -> None:
    with service.api as api:
        api.post("/batch/process", files=UPLOAD)

    parents = {span.name: parent_of(span) for span in service.trace.spans}
    request = traceparent_of(service.request)
    assert parents == {
        "transcribe recording": request,
        "clean transcript": request,
        "POST /batch/process": None,
    }


@pytest.mark.parametrize(
    ("method", "path", "name", "route", "status"),
    [
        ("GET", f"/batch/jobs/{TENANT}", "GET /batch/jobs/{job_id}", "/batch/jobs/{job_id}", 404),
        ("GET", f"/batch/jobs/{TENANT}/", "GET /batch/jobs/{job_id}", "/batch/jobs/{job_id}", 404),
        ("HEAD", "/docs", "HEAD /docs", "/docs", 200),
        ("POST", "/batch/process", "POST /batch/process", "/batch/process", 415),
        ("GET", "/no/such/path", "GET", None, 404),
        ("PATCH", "/batch/process", "PATCH /batch/process", "/batch/process", 405),
        ("BREW", "/batch/process", "HTTP", None, 501),
    ],
)
def test_a_name_has_few_values(
    service: Service, method: str, path: str, name: str, route: str | None, status: int
) -> None:
    with service.api as api:
        assert api.request(method, path, headers={"X-Tenant-ID": TENANT}).status_code == status

    assert service.request.name == name
    assert service.attributes.get("http.route") == route
    assert service.attributes["http.response.status_code"] == status
    assert service.attributes["http.request.method"] == ("_OTHER" if method == "BREW" else method)


def test_a_route_is_without_the_prefix_of_a_proxy(tmp_path: Path, engine: FixedTranscriber) -> None:
    service = Service(tmp_path, engine, "/speech")

    with service.api as api:
        api.get("/speech/docs")

    assert (service.attributes["http.route"], service.attributes["url.path"]) == ("/docs", "/speech/docs")


def test_an_error_of_the_server_fails_the_span_without_its_message(
    service: Service, engine: FixedTranscriber
) -> None:
    engine.error = RuntimeError("it said: secret")

    with service.api as api:
        assert api.post("/batch/process", files=UPLOAD).status_code == 500

    assert service.attributes["error.type"] == "500"
    assert not service.request.status.is_unset
    assert "secret" not in "".join(span.to_json() for span in service.trace.spans)


def test_an_error_of_the_caller_does_not_fail_the_span(service: Service) -> None:
    with service.api as api:
        api.post("/batch/process")

    assert service.request.status.is_unset


def test_the_trace_of_the_caller_is_continued(service: Service) -> None:
    with service.api as api:
        api.get("/docs", headers={"traceparent": A_TRACEPARENT})

    assert parent_of(service.request) == A_TRACEPARENT


@pytest.mark.parametrize(
    "headers",
    [
        [("traceparent", "nonsense")],
        [("traceparent", A_TRACEPARENT), ("traceparent", ANOTHER_TRACEPARENT)],
        [("traceparent", "")],
    ],
    ids=["unreadable", "twice", "empty"],
)
def test_a_trace_that_cannot_be_read_is_not_continued(
    service: Service, headers: list[tuple[str, str]]
) -> None:
    with service.api as api:
        assert api.get("/docs", headers=headers).status_code == 200

    assert parent_of(service.request) is None


def test_probes_have_no_span(service: Service) -> None:
    with service.api as api:
        api.get("/health/live")
        api.get("/health/ready")

    assert service.trace.names == []


def test_a_job_keeps_the_trace_of_its_submission(service: Service) -> None:
    with service.api as api:
        api.post("/batch/jobs", files=UPLOAD, headers={"traceparent": A_TRACEPARENT, "X-Tenant-ID": TENANT})

    submitted = next(span for span in service.trace.spans if span.name == "POST /batch/jobs")
    assert trace_of(traceparent_of(submitted)) == trace_of(A_TRACEPARENT)
    assert "store recording" in service.trace.names


def test_each_log_line_of_a_request_has_its_trace(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TRACE_IDS, "current", service.trace.current)
    root, stream = getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logging(Settings.from_env({"LOG_FORMAT": "json"}), stream=stream)
    try:
        with service.api as api:
            api.post("/batch/process", files=UPLOAD)
    finally:
        root.handlers, root.level = handlers, level

    lines = list(map(json.loads, stream.getvalue().splitlines()))
    of_request = [line for line in lines if "interaction_id" in line]
    assert {line["event"] for line in of_request} >= {"identity resolved", "request answered"}
    assert {line.get("trace_id") for line in of_request} == {trace_of(traceparent_of(service.request))}


def test_without_traces_there_is_no_middleware(tmp_path: Path, engine: FixedTranscriber) -> None:
    build: Callable[[Path], TestClient] = lambda folder: TestClient(  # noqa: E731 - one use
        create_app(container_for(folder, engine))
    )

    names = {each.cls.__name__ for each in build(tmp_path / "spool").app.user_middleware}  # type: ignore[attr-defined]  # FastAPI's

    assert "TraceMiddleware" not in names


FRAMEWORK = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)

from pathlib import Path
from fastapi.testclient import TestClient
from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for

app = create_app(container_for(Path(sys.argv[1]), FixedTranscriber(error=ValueError("secret"))))
with TestClient(app, raise_server_exceptions=False) as api:
    assert api.post("/batch/process", files={"file": b"sound"}).status_code == 500
print([span.name for span in kept.get_finished_spans()])
"""


@pytest.mark.process
def test_the_framework_records_nothing_by_itself(tmp_path: Path) -> None:
    """A global provider is what `opentelemetry-instrument` or a sitecustomize sets."""
    environment = os.environ | {"FASTAPI_OTEL_AUTO_CONFIGURE": "true", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", FRAMEWORK, str(tmp_path / "spool")]

    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)

    assert result.stdout == "[]\n"
