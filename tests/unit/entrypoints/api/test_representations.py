"""Forms of the answer: JSON, subtitles and text, by the header `Accept` (RFC 9110, section 12.5.1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bootstrap.container import Container
from domain.model.transcripts import Transcript
from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for
from tests.support.harness.subtitles import Shown, read_subrip, read_webvtt

JSON, TEXT, VTT, SRT = "application/json", "text/plain", "text/vtt", "application/x-subrip"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
AXIOS = "application/json, text/plain, */*"
SUBTITLES = [Shown(250, 1500, ("um hello",)), Shown(2000, 3250, ("the the world",))]


@pytest.fixture
def engine() -> FixedTranscriber:
    return FixedTranscriber()


@pytest.fixture
def container(tmp_path: Path, engine: FixedTranscriber) -> Container:
    return container_for(tmp_path / "spool", engine)


@pytest.fixture
def api(container: Container) -> Iterator[TestClient]:
    with TestClient(create_app(container)) as client:
        yield client


def upload(api: TestClient, accept: str | list[str], query: str = "") -> Any:
    values = [accept] if isinstance(accept, str) else accept
    headers = [("Accept", value) for value in values]
    return api.post(f"/batch/process{query}", files={"file": b"sound"}, headers=headers)


def form(response: Any) -> str:
    return str(response.headers["content-type"]).partition(";")[0]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", JSON),
        ("", JSON),
        (BROWSER, JSON),
        (JAVA, JSON),
        (AXIOS, JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("Application/JSON; charset=utf-8", JSON),
        (TEXT, TEXT),
        ("text/plain;charset=utf-8", TEXT),
        (VTT, VTT),
        ("TEXT/VTT", VTT),
        (SRT, SRT),
        ("text/*", TEXT),
        ("text/html, text/vtt", VTT),
        ("application/json;q=0.5, text/vtt", VTT),
        ("application/json;q=0.5, text/vtt;q=0.4, text/plain;q=0.6", TEXT),
        ("text/vtt, */*;q=0.1", VTT),
        ("text/*;q=0.9, text/vtt;q=0.1, application/json;q=0.5", TEXT),
        ("*/*, application/json;q=0", TEXT),
        ("application/*, application/json;q=0", SRT),
        ("application/x-subrip;q=1.0, application/json;q=0.999", SRT),
        ('text/vtt;note="a, b";q=0.5, text/plain;q=0.6', TEXT),
        (["application/json;q=0.1", "text/vtt"], VTT),
        ("json", JSON),
        ("text/vtt;q=high", JSON),
        ("text/vtt;q=2", JSON),
        ("text/vtt;q=nan", JSON),
        (",,;,", JSON),
    ],
)
def test_the_form_that_the_caller_likes_best_is_sent(
    api: TestClient, accept: str | list[str], expected: str
) -> None:
    response = upload(api, accept)

    assert (response.status_code, form(response)) == (200, expected)
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "text/srt",
        "application/xml, image/*",
        "application/json;q=0",
        "*/*;q=0",
        "text/vtt;q=0.0",
    ],
)
def test_no_form_that_the_caller_accepts_is_a_problem_before_the_recording_is_looked_at(
    api: TestClient, engine: FixedTranscriber, container: Container, accept: str
) -> None:
    response = upload(api, accept)

    assert response.status_code == 406
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:batch-transcription:problem:not-acceptable"
    assert all(name in response.json()["detail"] for name in (JSON, TEXT, VTT, SRT))
    assert engine.heard == []
    assert container.events().published == ()


def test_problems_are_json_in_all_cases(api: TestClient) -> None:
    response = api.post("/batch/process", files={"other": b"sound"}, headers={"Accept": VTT})

    assert (response.status_code, form(response)) == (400, "application/problem+json")


def test_subtitles_are_made_of_the_segments(api: TestClient) -> None:
    webvtt, subrip = upload(api, VTT), upload(api, SRT)

    assert read_webvtt(webvtt.text) == read_subrip(subrip.text) == SUBTITLES
    assert webvtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert subrip.headers["content-type"] == "application/x-subrip; charset=utf-8"


def test_the_text_is_the_cleaned_transcript(api: TestClient) -> None:
    response = upload(api, TEXT)

    assert response.text == upload(api, JSON).json()["cleaned_transcript"] + "\n"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_headers_tell_what_is_no_part_of_subtitles(api: TestClient, container: Container) -> None:
    response = upload(api, VTT, "?speakers=2&color=red")

    (event,) = container.events().published
    assert response.headers["x-interaction-id"] == str(event.interaction_id)
    assert response.headers["x-event-status"] == "published"
    assert response.headers["x-warnings"] == "unknown-parameter"
    assert "x-warnings" not in upload(api, VTT).headers
    assert "x-event-status" not in upload(api, JSON).headers


def test_a_recording_without_speech_has_empty_subtitles_and_no_text(tmp_path: Path) -> None:
    silence = FixedTranscriber(Transcript(duration_seconds=2.0))
    with TestClient(create_app(container_for(tmp_path / "spool", silence))) as api:
        answers = [upload(api, accept) for accept in (VTT, SRT, TEXT)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.text for answer in answers] == ["WEBVTT\n", "", ""]


def test_the_forms_are_described(api: TestClient) -> None:
    document = api.get("/openapi.json").json()

    answer = document["paths"]["/batch/process"]["post"]["responses"]["200"]
    assert set(answer["content"]) == {JSON, TEXT, VTT, SRT}
    assert {"X-Event-Status", "X-Warnings"} <= set(answer["headers"])
