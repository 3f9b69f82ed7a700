"""Spellings of one resource: with a slash at the end, with a prefix, and asked for with HEAD."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from fastapi.testclient import TestClient

from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for

PAGES = ("/docs", "/openapi.json", "/health/live", "/health/ready")


class Service(Protocol):
    def __call__(self, root_path: str = "") -> TestClient: ...


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with ExitStack() as stack:

        def start(root_path: str = "") -> TestClient:
            container = container_for(tmp_path / "spool", FixedTranscriber(), ROOT_PATH=root_path)
            return stack.enter_context(TestClient(create_app(container), follow_redirects=False))

        yield start


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_read_with_and_without_a_slash_and_with_head(
    service: Service, page: str, slash: str
) -> None:
    api = service()

    assert api.get(page + slash).status_code == 200
    assert api.head(page + slash).status_code == 200


@pytest.mark.parametrize("path", ["/batch/process", "/batch/process/"])
def test_an_upload_is_answered_with_and_without_a_slash(service: Service, path: str) -> None:
    answer = service().post(path, files={"file": b"sound"})

    assert answer.status_code == 200
    assert answer.json()["event"]["status"] == "published"


def test_the_description_lists_each_path_once_and_reads_no_head(service: Service) -> None:
    paths = service().get("/openapi.json").json()["paths"]

    assert sorted(paths) == [
        "/batch/jobs",
        "/batch/jobs/events",
        "/batch/jobs/{job_id}",
        "/batch/jobs/{job_id}/delivery",
        "/batch/jobs/{job_id}/events",
        "/batch/jobs/{job_id}/recording",
        "/batch/jobs/{job_id}/retry",
        "/batch/jobs/{job_id}/transcript",
        "/batch/jobs/{job_id}/waveform",
        "/batch/process",
        "/health/live",
        "/health/ready",
        "/operations/dead-letters",
        "/operations/dead-letters/archive",
        "/operations/dead-letters/redrive",
        "/operations/dead-letters/{message_id}",
        "/operations/outbox",
        "/operations/outbox/retry",
        "/operations/route",
        "/operations/route/verify",
    ]
    assert {method for operations in paths.values() for method in operations} == {"delete", "get", "post"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("HEAD", "/batch/process", "POST"),
        ("PUT", "/batch/process/", "POST"),
        ("DELETE", "/health/live", "GET, HEAD"),
        ("PUT", "/batch/jobs", "GET, HEAD, POST"),
        ("PATCH", "/batch/jobs/7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de", "DELETE, GET, HEAD"),
        ("GET", "/batch/jobs/7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de/retry", "POST"),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = service().request(method, path)

    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == allowed.split(", ")


@pytest.mark.parametrize("prefix", ["/speech", "/a/b", "/health", "/batch"])
@pytest.mark.parametrize("removes", [True, False], ids=["removed by the proxy", "kept by the proxy"])
def test_behind_a_prefix_everything_is_found(service: Service, prefix: str, *, removes: bool) -> None:
    api = service(prefix)
    sent = "" if removes else prefix

    assert [api.get(sent + page).status_code for page in PAGES] == [200] * len(PAGES)
    assert api.post(f"{sent}/batch/process/", files={"file": b"sound"}).status_code == 200
    assert api.get(f"{sent}/elsewhere").status_code == 404


@pytest.mark.parametrize("sent", ["", "/speech"], ids=["removed by the proxy", "kept by the proxy"])
def test_behind_a_prefix_the_pages_lead_through_the_proxy(service: Service, sent: str) -> None:
    api = service("/speech")

    assert '"/speech/openapi.json"' in api.get(f"{sent}/docs").text.replace("'", '"')
    assert api.get(f"{sent}/openapi.json").json()["servers"] == [{"url": "/speech"}]
    assert "/batch/process" in api.get(f"{sent}/openapi.json").json()["paths"]


def test_a_form_upload_that_is_refused_is_told_what_is_accepted(service: Service) -> None:
    api = service()
    form = {"Content-Type": "multipart/form-data; boundary=xyz"}

    media_type = api.post("/batch/process", content=b"RIFF", headers={"Content-Type": "audio/wav"})
    coding = api.post("/batch/process", content=b"\x1f\x8b", headers=form | {"Content-Encoding": "gzip"})

    assert (media_type.status_code, media_type.headers["accept"]) == (415, "multipart/form-data")
    assert "accept-encoding" not in media_type.headers
    assert (coding.status_code, coding.headers["accept-encoding"]) == (415, "identity")
    assert coding.json()["type"] == "urn:batch-transcription:problem:unsupported-content-coding"
