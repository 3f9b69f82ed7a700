"""Two tenants share no job, no answer and no key (hono-idempotency#126, zeroid#96, paperclip#3967)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.model.api_keys import PlainKey, parse_key
from tests.support.harness.access import AccessStage, Headers, access_stage, bearer

KEY = {"Idempotency-Key": "meeting-42"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[AccessStage]:
    with access_stage(tmp_path, AUTH="key", JOB_WORKERS="2") as stage:
        yield stage


@pytest.fixture
def ours(stage: AccessStage) -> Headers:
    return bearer(stage.key())


@pytest.fixture
def theirs(stage: AccessStage) -> Headers:
    return bearer(stage.key(stage.other))


def upload(stage: AccessStage, path: str, headers: Headers, content: bytes = b"sound") -> Any:
    return stage.send("POST", path, headers, files={"file": ("call.wav", content)})


@pytest.mark.parametrize("path", ["/batch/process", "/batch/jobs"])
@pytest.mark.parametrize("content", [b"sound", b"another sound"])
def test_the_same_idempotency_key_of_two_tenants_is_two_requests(
    stage: AccessStage, ours: Headers, theirs: Headers, path: str, content: bytes
) -> None:
    first = upload(stage, path, ours | KEY).json()
    second = upload(stage, path, theirs | KEY, content).json()
    repeated = upload(stage, path, ours | KEY).json()

    assert first["tenant_id"] == str(stage.tenant)
    assert second["tenant_id"] == str(stage.other)
    assert second["interaction_id"] != first["interaction_id"] == repeated["interaction_id"]


def test_the_same_interaction_id_of_two_tenants_is_two_jobs(
    stage: AccessStage, ours: Headers, theirs: Headers
) -> None:
    chosen = {"X-Interaction-ID": str(uuid4())}

    mine, other = (upload(stage, "/batch/jobs", each | chosen).json() for each in (ours, theirs))

    assert (mine["id"], mine["tenant_id"]) == (chosen["X-Interaction-ID"], str(stage.tenant))
    assert other["id"] != mine["id"]
    assert stage.send("GET", f"/batch/jobs/{mine['id']}", theirs).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/transcript"),
        ("GET", "/recording"),
        ("GET", "/waveform"),
        ("DELETE", ""),
        ("POST", "/retry"),
    ],
)
def test_another_tenants_job_is_answered_byte_for_byte_as_an_unknown_one(
    stage: AccessStage, ours: Headers, theirs: Headers, method: str, path: str
) -> None:
    job_id = stage.completed_job(ours)

    answers = [
        stage.send(method, f"/batch/jobs/{each}{path}", theirs) for each in (job_id, uuid4(), "no id at all")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert stage.send("GET", f"/batch/jobs/{job_id}", ours).json()["state"] == "completed"


def test_a_list_shows_the_jobs_of_its_tenant_alone(
    stage: AccessStage, ours: Headers, theirs: Headers
) -> None:
    job_id = stage.completed_job(ours)

    assert [job["id"] for job in stage.send("GET", "/batch/jobs", ours).json()["jobs"]] == [str(job_id)]
    assert stage.send("GET", "/batch/jobs", theirs).json() == {"jobs": [], "next": None}


def test_a_key_with_another_keys_id_is_an_unknown_one(stage: AccessStage) -> None:
    mine, other = parse_key(stage.key()), parse_key(stage.key(stage.other))
    assert mine is not None
    assert other is not None
    keys = (PlainKey(other.id, mine.secret), PlainKey("00000000", mine.secret))

    answers = [stage.send("GET", "/batch/jobs", bearer(key.text)) for key in keys]

    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].content == answers[1].content
