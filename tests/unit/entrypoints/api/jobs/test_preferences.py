"""Header `Prefer` (RFC 7240): uploads that become jobs, at once or after some seconds."""

from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from starlette.requests import Request

from domain.model.errors import OutboxUnavailableError, UndecodableAudioError
from entrypoints.api.jobs.preferences import Preferences, read_preferences
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import container_for, wait_until
from tests.unit.entrypoints.api.jobs.conftest import Service
from tests.unit.entrypoints.api.jobs.test_submission import problem, unavailable

PROCESS = "/batch/process"


def unreadable(*_: object) -> Any:
    """Fail as an outbox that cannot be reached."""
    raise OutboxUnavailableError("the database is away")


def preferring(*values: str) -> Preferences:
    headers = [(b"prefer", value.encode("latin-1")) for value in values]
    return read_preferences(Request({"type": "http", "headers": headers}))


@pytest.mark.parametrize(
    ("values", "preferences"),
    [
        ([], Preferences()),
        (["respond-async"], Preferences(is_async=True)),
        (["Respond-Async"], Preferences(is_async=True)),
        (["respond-async, wait=10"], Preferences(is_async=True, wait_seconds=10)),
        (["respond-async", "wait=10"], Preferences(is_async=True, wait_seconds=10)),
        (["wait = 10"], Preferences(wait_seconds=10)),
        (['wait="10"'], Preferences(wait_seconds=10)),
        (['wait="1\\0"'], Preferences(wait_seconds=10)),
        (["wait=10; foo=bar;; baz"], Preferences(wait_seconds=10)),
        (["wait=10, wait=20"], Preferences(wait_seconds=10)),
        (["wait=0"], Preferences(wait_seconds=0)),
        (["wait=99999"], Preferences(wait_seconds=300)),
        (["wait=" + "9" * 5000], Preferences()),
        (["wait"], Preferences()),
        (["wait=soon"], Preferences()),
        (["wait=-1"], Preferences()),
        (["wait=1.5"], Preferences()),
        (["wait=\xb2"], Preferences()),
        (['foo="a, respond-async", wait=3'], Preferences(wait_seconds=3)),
        (['foo="unfinished, respond-async'], Preferences()),
        (['return=minimal, handling=lenient, foo; bar="x, y"'], Preferences()),
        (["respond-async=yes"], Preferences(is_async=True)),
        ([",, ;,=,respond-async,"], Preferences(is_async=True)),
        (["respond async"], Preferences()),
    ],
)
def test_preferences_are_read_as_the_rfc_writes_them(values: list[str], preferences: Preferences) -> None:
    assert preferring(*values) == preferences


@pytest.mark.parametrize(
    "hostile", ["a={}b c", "a{}b", "{}=", 'a="{}', "a=b{}c", 'a="b"{}c'], ids="of {}".format
)
@pytest.mark.parametrize("part", [" ", "\t ", '"', "\\", "\\a", ";", "="], ids=repr)
def test_a_hostile_header_is_read_in_time_that_grows_with_its_length(hostile: str, part: str) -> None:
    """One that is read in time that grows with the square of it exceeds the time limit of a test."""
    assert preferring(hostile.format(part * 500_000), "respond-async").wait_seconds is None


def test_respond_async_gets_a_job_at_once(waiting: JobCaller) -> None:
    response = waiting.submit(
        path=PROCESS, headers={"Prefer": "respond-async"}, data={"metadata": '{"a": 1}'}
    )

    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == job["links"]["self"]
    assert response.headers["preference-applied"] == "respond-async"
    assert response.headers["retry-after"] == "5"
    assert (job["state"], job["metadata"], job["warnings"]) == ("queued", {"a": 1}, [])
    assert waiting.look(job) == job


def test_an_end_in_time_is_answered_as_without_the_preference(caller: JobCaller) -> None:
    plain = caller.submit(path=PROCESS)

    response = caller.submit(path=PROCESS, headers={"Prefer": "respond-async, wait=60"})

    job = caller.get("/batch/jobs").json()["jobs"][0]
    own = {"interaction_id": job["id"], "event": {"status": "disabled", "event_id": None}}
    assert response.status_code == 200
    assert response.json() == plain.json() | own
    assert response.headers["preference-applied"] == "wait=60"
    assert response.headers["x-interaction-id"] == job["id"]
    assert response.headers["content-type"] == plain.headers["content-type"]
    assert response.headers["vary"] == "Accept"
    assert "location" not in response.headers


def test_an_end_in_time_has_the_form_that_the_caller_accepts(caller: JobCaller) -> None:
    wanted = {"Accept": "text/vtt"}

    plain = caller.submit(path=PROCESS, headers=wanted)
    response = caller.submit(path=PROCESS, headers={"Prefer": "wait=60", **wanted})

    assert response.text == plain.text
    assert response.headers["content-type"] == plain.headers["content-type"]
    refused = caller.submit(path=PROCESS, headers={"Prefer": "wait=60", "Accept": "text/html"})
    assert problem(refused) == (406, "not-acceptable")
    assert len(caller.get("/batch/jobs").json()["jobs"]) == 1


def test_a_failure_in_time_is_the_problem_of_an_upload(service: Service, tmp_path: Path) -> None:
    engine = FixedTranscriber(error=UndecodableAudioError("broken"))
    caller = service(container_for(tmp_path / "spool", engine, JOB_WORKERS="1"))

    plain, response = (
        caller.submit(path=PROCESS, headers=headers) for headers in ({}, {"Prefer": "wait=60"})
    )

    assert problem(response) == problem(plain) == (422, "undecodable-audio")
    assert response.json() == plain.json()
    assert response.headers["preference-applied"] == "wait=60"


def test_a_job_that_is_cancelled_meanwhile_is_a_conflict(waiting: JobCaller) -> None:
    answers: list[Any] = []
    wait = {"Prefer": "wait=60"}
    thread = Thread(target=lambda: answers.append(waiting.submit(path=PROCESS, headers=wait)))
    thread.start()
    wait_until(lambda: waiting.get("/batch/jobs").json()["jobs"])
    (job,) = waiting.get("/batch/jobs").json()["jobs"]

    waiting.send("DELETE", job["links"]["self"])
    thread.join(60)

    assert problem(answers[0]) == (409, "cancelled")


@pytest.mark.parametrize("wait", ["0", "1"])
def test_past_its_seconds_the_caller_gets_a_job_that_goes_on(
    caller: JobCaller, engine: FixedTranscriber, wait: str
) -> None:
    engine.held = True

    response = caller.submit(path=PROCESS, headers={"Prefer": f"wait={wait}"})

    job = response.json()
    assert response.status_code == 202
    assert response.headers["preference-applied"] == f"wait={wait}"
    assert response.headers["location"] == job["links"]["self"]
    wait_until(lambda: engine.heard)
    engine.let_go()
    assert caller.ended(job)["state"] == "completed"


def test_unknown_preferences_change_nothing(caller: JobCaller) -> None:
    response = caller.submit(path=PROCESS, headers={"Prefer": "return=minimal, wait=soon"})

    assert (response.status_code, response.json()["event"]["status"]) == (200, "published")
    assert "preference-applied" not in response.headers
    assert caller.get("/batch/jobs").json()["jobs"] == []


def test_a_key_is_one_job_with_each_way_to_ask_for_it(caller: JobCaller, engine: FixedTranscriber) -> None:
    key = {"Idempotency-Key": "k1"}

    waited = caller.submit(path=PROCESS, headers={**key, "Prefer": "wait=60"})
    job = caller.submitted(headers=key)

    assert (waited.status_code, job["id"]) == (200, waited.json()["interaction_id"])
    assert engine.heard == [b"sound"]


def test_the_caller_learns_the_job_though_the_store_fails_while_it_waits(
    waiting: JobCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = waiting.container.jobs()
    monkeypatch.setattr(jobs, "revisions", lambda ids: dict.fromkeys(ids, 99))  # a change that is not read
    monkeypatch.setattr(jobs, "find", unavailable)

    response = waiting.submit(path=PROCESS, headers={"Prefer": "wait=60"})

    assert response.status_code == 202
    assert response.headers["location"]


@pytest.mark.parametrize("store", ["jobs", "outbox"])
def test_the_caller_learns_the_job_though_its_end_cannot_be_read(
    caller: JobCaller, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    if store == "jobs":
        monkeypatch.setattr(caller.container.jobs(), "result", unavailable)
    else:
        monkeypatch.setattr(caller.container.job_publications(), "find_all", unreadable)

    response = caller.submit(path=PROCESS, headers={"Prefer": "wait=60"})

    job = response.json()
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "wait=60"
    assert response.headers["location"] == f"/batch/jobs/{job['id']}"
    assert (job["state"], "completed") == ("completed", caller.stored(job).state)


def test_the_caller_of_a_known_key_learns_the_job_though_its_event_is_unknown(
    caller: JobCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": "k1"}
    job = caller.ended(caller.submitted(headers=key))
    monkeypatch.setattr(caller.container.job_publications(), "find_all", unreadable)

    again = caller.submit(headers=key)

    assert (again.status_code, again.json()["id"], again.json()["event"]) == (202, job["id"], None)
