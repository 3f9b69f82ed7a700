"""Metrics of requests: what they are counted under, and what never is a label."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from bootstrap.container import Container
from domain.model.errors import NotAudioError, TranscriberCrashedError
from entrypoints.api.app import create_app
from entrypoints.api.metrics import UPLOADS
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.observed import ObservedService, metrics_of, observed
from tests.support.harness.service import container_for
from tests.support.prometheus.scrapes import TARGET, Scrape, scraped

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
REQUESTS = "http_server_request_duration_seconds_count"


class Site:
    """A service in this process, without the figures that are read at a scrape."""

    def __init__(self, container: Container, transcriber: FixedTranscriber, api: TestClient) -> None:
        self._container = container
        self.transcriber = transcriber
        self.api = api

    @property
    def scrape(self) -> Scrape:
        return scraped(metrics_of(self._container).registry)

    def requests(self) -> set[tuple[str, str, str]]:
        """Return method, route and status of each series."""
        found = (each.labels for each in self.scrape.samples if each.name == REQUESTS)
        return {(labels["method"], labels["route"], labels["status"]) for labels in found}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    transcriber = FixedTranscriber()
    container = container_for(tmp_path / "spool", transcriber, METRICS_PORT="0", JOB_WORKERS="0")
    with TestClient(create_app(container), raise_server_exceptions=False) as api:
        yield Site(container, transcriber, api)


def test_a_request_is_counted_under_the_template_of_its_route(site: Site) -> None:
    tenant = {"X-Tenant-ID": str(uuid4())}
    site.api.get(f"/batch/jobs/{uuid4()}", headers=tenant)
    site.api.get(f"/batch/jobs/{uuid4()}/transcript/", headers=tenant)
    site.api.head("/health/live")
    site.api.delete("/batch/process")

    assert site.requests() == {
        ("GET", "/batch/jobs/{job_id}", "404"),
        ("GET", "/batch/jobs/{job_id}/transcript", "404"),
        ("HEAD", "/health/live", "200"),
        ("DELETE", "/batch/process", "405"),
    }


def test_all_paths_without_a_route_are_one_series(site: Site) -> None:
    for path in ("/wp-login.php", f"/{uuid4()}", "/batch/jobs/x/y/z", "/%00"):
        site.api.get(path)

    assert site.requests() == {("GET", "unknown", "404")}
    assert site.scrape.value(REQUESTS, route="unknown") == 4


def test_a_stream_of_events_is_measured_under_its_route(site: Site) -> None:
    tenant = {"X-Tenant-ID": str(uuid4())}
    job = site.api.post("/batch/jobs", files={"file": b"sound"}, headers=tenant).json()
    site.api.delete(f"/batch/jobs/{job['id']}", headers=tenant)  # it is cancelled

    site.api.get(f"/batch/jobs/{job['id']}/events", headers=tenant)

    assert ("GET", "/batch/jobs/{job_id}/events", "200") in site.requests()


def test_an_answer_is_counted_by_the_status_of_its_event(site: Site) -> None:
    site.api.post("/batch/process", files={"file": b"sound"})
    site.api.post("/batch/process", files={"file": b"sound"}, headers={"Accept": "text/vtt"})

    assert site.scrape.value("answers_total", event_status="published") == 2
    assert site.scrape.value("answers_total", event_status="failed") == 0


@pytest.mark.parametrize("path", sorted(UPLOADS))
def test_a_refused_upload_is_counted_by_its_problem(site: Site, path: str) -> None:
    site.api.post(path, files={"other": b"sound"})

    assert site.scrape.value("uploads_refused_total", problem="missing-recording") == 1


@pytest.mark.parametrize(
    ("error", "status", "problem"),
    [
        (NotAudioError("a letter"), "415", "not-audio"),
        (TranscriberCrashedError("it died"), "500", "transcriber-crashed"),
        (RuntimeError("a defect"), "500", "internal-error"),
    ],
)
def test_an_upload_that_fails_is_counted_by_its_problem(
    site: Site, error: Exception, status: str, problem: str
) -> None:
    site.transcriber.error = error

    site.api.post("/batch/process", files={"file": b"sound"})

    assert site.scrape.value("uploads_refused_total", problem=problem) == 1
    assert site.scrape.value(REQUESTS, route="/batch/process", status=status) == 1


def test_a_problem_of_another_request_is_no_refused_upload(site: Site) -> None:
    site.api.get(f"/batch/jobs/{uuid4()}", headers={"X-Tenant-ID": str(uuid4())})

    assert not [each for each in site.scrape.samples if each.name == "uploads_refused_total"]


def test_uploads_are_routes_of_the_service(site: Site) -> None:
    paths = site.api.get("/openapi.json").json()["paths"]

    assert {path for path in UPLOADS if "post" in paths[path]} == UPLOADS


def test_nothing_is_measured_without_a_port(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber())
    app = create_app(container)

    assert container.metrics() is None
    assert container.observed_transcriber() is container.transcriber()
    assert "MetricsMiddleware" not in str(app.user_middleware)


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObservedService]:
    with observed(tmp_path, monkeypatch) as service:
        yield service


@pytest.mark.slow
def test_no_label_has_an_id_a_tenant_a_user_a_file_or_the_text_of_an_error(busy: ObservedService) -> None:
    tenant, user = str(uuid4()), "alice@example.com"
    headers = {"X-Tenant-ID": tenant, "X-User-ID": user, "Idempotency-Key": "meeting-42"}
    assert busy.upload(headers=headers).status_code == 200
    job = busy.upload("/batch/jobs", headers=headers | {"Idempotency-Key": "meeting-43"}).json()
    busy.api.delete(f"/batch/jobs/{job['id']}", headers=headers)  # it is cancelled, and its stream ends
    for path in (f"/batch/jobs/{job['id']}", f"/batch/jobs/{job['id']}/events", f"/{tenant}", f"/{user}"):
        busy.api.get(path, headers=headers)
    busy.transcriber.error = NotAudioError(f"call.wav of {user} is a letter")
    busy.upload(headers=headers | {"Idempotency-Key": "meeting-44"})
    busy.transcriber.error = RuntimeError(f"call.wav of {user} is a letter")
    busy.upload(headers=headers | {"Idempotency-Key": "meeting-45"})

    labels = {pair for each in busy.scrape().samples for pair in each.labels.items()} - TARGET.items()

    values = {value for _, value in labels}
    assert "/batch/jobs/{job_id}" in values
    assert [value for value in values if UUID.search(value)] == []
    for secret in (tenant, user, "alice", "call.wav", "letter", "meeting"):
        assert [value for value in values if secret in value] == []
    assert {name for name, _ in labels} == {
        *("class", "engine", "event_status", "generation", "implementation", "le", "link", "major", "method"),
        *(
            "minor",
            "outcome",
            "patchlevel",
            "path",
            "problem",
            "reason",
            "route",
            "source",
            "state",
            "status",
        ),
        "version",
    }
