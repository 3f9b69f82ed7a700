"""Lists of jobs: pages by keyset, filtered by state and time."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.support.harness.job_api import JobCaller
from tests.unit.entrypoints.api.jobs.conftest import Service
from tests.unit.entrypoints.api.jobs.test_submission import problem


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["jobs"]]


def pages(caller: JobCaller, path: str) -> list[list[str]]:
    found = []
    following: str | None = path
    while following is not None:
        response = caller.get(following)
        found.append(ids(response))
        following = response.json()["next"]
    return found


def test_without_jobs_the_list_is_empty(waiting: JobCaller) -> None:
    response = waiting.get("/batch/jobs")

    assert response.json() == {"jobs": [], "next": None}
    assert response.headers["cache-control"] == "private, no-cache"


def test_pages_have_each_job_once_newest_first_though_jobs_come_and_go_meanwhile(waiting: JobCaller) -> None:
    submitted = [waiting.submitted() for _ in range(5)]
    JobCaller(waiting.api).submitted()
    first = waiting.get("/batch/jobs?limit=2")
    waiting.submitted()
    for _ in range(2):
        waiting.send("DELETE", submitted[3]["links"]["self"])

    rest = pages(waiting, first.json()["next"])

    wanted = [job["id"] for job in reversed(submitted)]
    assert [ids(first), *rest] == [wanted[:2], wanted[2:4], wanted[4:]]


def test_an_entry_of_the_list_is_the_snapshot_of_the_job(waiting: JobCaller) -> None:
    job = waiting.submitted(data={"metadata": '{"case": 1}'})

    assert waiting.get("/batch/jobs").json()["jobs"] == [waiting.look(job)]


def test_jobs_are_chosen_by_state_and_the_next_page_keeps_the_choice(waiting: JobCaller) -> None:
    jobs = [waiting.submitted() for _ in range(4)]
    for job in jobs[:3]:
        waiting.send("DELETE", job["links"]["self"])

    assert ids(waiting.get("/batch/jobs?state=queued")) == [jobs[3]["id"]]
    assert ids(waiting.get("/batch/jobs?state=completed")) == []
    assert pages(waiting, "/batch/jobs?state=cancelled&limit=2") == [
        [jobs[2]["id"], jobs[1]["id"]],
        [jobs[0]["id"]],
    ]


def test_jobs_are_chosen_by_time(waiting: JobCaller) -> None:
    jobs = [waiting.submitted() for _ in range(3)]
    middle = jobs[1]["created_at"]

    assert ids(waiting.get(f"/batch/jobs?created_after={middle}")) == [jobs[2]["id"], jobs[1]["id"]]
    assert ids(waiting.get(f"/batch/jobs?created_before={middle}")) == [jobs[0]["id"]]
    assert ids(waiting.get("/batch/jobs?created_before=2020-01-01T00:00:00Z")) == []
    assert len(ids(waiting.get("/batch/jobs?created_after=2020-01-01T00:00:00%2B02:00"))) == 3
    assert len(ids(waiting.get("/batch/jobs?created_after=2020-01-01T00:00:00+02:00"))) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "done"),
        ("state", ""),
        ("created_after", "yesterday"),
        ("created_after", "2026-11-23"),
        ("created_after", "2026-11-23T18:00:00"),
        ("created_before", "0001-01-01T00:00:00%2B14:00"),
        ("created_before", ""),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "ten"),
        ("limit", "%C2%B2"),
        ("limit", "9" * 5000),
        ("limit", "0000000011000"),
        ("limit", f"{'0' * 8}1{'0' * 18}"),
        ("limit", f"{'0' * 8}1{'0' * 5000}"),
        ("limit", "0000000001"),
        ("cursor", ""),
        ("cursor", "7"),
        ("cursor", "%00"),
        ("cursor", cursor([])),
        ("cursor", cursor(["soon", str(uuid4())])),
        ("cursor", cursor([1.0, "7"])),
        ("cursor", cursor([1.0, 7])),
        ("cursor", cursor([float("inf"), uuid4().hex])),
        ("cursor", cursor({"a": 1, "b": 2})),
        ("cursor", cursor([10**400, "7" * 32])),
    ],
    ids=range(26),
)
def test_a_value_that_a_parameter_does_not_have_is_refused(waiting: JobCaller, name: str, value: str) -> None:
    response = waiting.get(f"/batch/jobs?{name}={value}")

    assert problem(response) == (400, "invalid-parameter")
    assert f"'{name}'" in response.json()["detail"]
    assert len(response.json()["detail"]) < 200


def test_a_cursor_of_another_tenant_shows_none_of_its_jobs(waiting: JobCaller) -> None:
    for _ in range(3):
        waiting.submitted()
    following = waiting.get("/batch/jobs?limit=1").json()["next"]

    assert JobCaller(waiting.api).get(following).json() == {"jobs": [], "next": None}


def test_paths_lead_through_the_proxy(service: Service) -> None:
    caller = service(ROOT_PATH="/speech", JOB_WORKERS="0")
    responses = [caller.submit(path="/speech/batch/jobs") for _ in range(2)]

    listed = caller.get("/batch/jobs?limit=1").json()

    assert all(each.headers["location"].startswith("/speech/batch/jobs/") for each in responses)
    assert caller.look(responses[0].json())["id"] == responses[0].json()["id"]
    assert listed["next"].startswith("/speech/batch/jobs?limit=1&cursor=")
    assert ids(caller.get(listed["next"])) == [responses[0].json()["id"]]
