"""Ends of jobs by their callers: cancelled, erased, tried again."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import UndecodableAudioError
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.job_api import JobCaller, links_of
from tests.support.harness.service import container_for, wait_until
from tests.unit.entrypoints.api.jobs.conftest import Service
from tests.unit.entrypoints.api.jobs.test_submission import problem


def stored(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in (tmp_path / "recordings").iterdir() if path.is_file()]


def cancel(caller: JobCaller, job: Any, query: str = "") -> Any:
    return caller.send("DELETE", job["links"]["self"] + query)


def test_a_queued_job_is_cancelled(waiting: JobCaller) -> None:
    job = waiting.submitted()

    response = cancel(waiting, job)

    cancelled = response.json()
    assert response.status_code == 200
    assert (cancelled["state"], cancelled["revision"]) == ("cancelled", job["revision"] + 1)
    assert cancelled["problem"]["type"] == "urn:batch-transcription:problem:cancelled"
    assert cancelled["problem"]["retryable"] is True
    assert links_of(cancelled) == {"self", "events", "retry"}
    assert waiting.look(job) == cancelled


def test_a_job_at_work_is_cancelled_and_its_engine_stopped(
    caller: JobCaller, engine: FixedTranscriber
) -> None:
    engine.held = True
    job = caller.submitted()
    wait_until(lambda: engine.heard)

    response = cancel(caller, job)

    assert response.json()["state"] == "cancelled"
    wait_until(lambda: engine.cancelled == 1)
    assert caller.look(job)["state"] == "cancelled"
    wait_until(lambda: caller.container.job_worker().at_work == 0)


def test_an_ended_job_is_erased_with_its_recording_and_transcript(caller: JobCaller, tmp_path: Path) -> None:
    job = caller.ended(caller.submitted())
    kept = stored(tmp_path)

    response = cancel(caller, job)

    assert kept == [b"sound"]
    assert (response.status_code, response.content) == (204, b"")
    assert stored(tmp_path) == []
    for method, path in (("GET", ""), ("GET", "/transcript"), ("DELETE", ""), ("POST", "/retry")):
        answer = caller.send(method, f"/batch/jobs/{job['id']}{path}")
        assert problem(answer) == (404, "job-not-found")


def test_cancelling_twice_erases(waiting: JobCaller) -> None:
    job = waiting.submitted()

    assert [cancel(waiting, job).status_code for _ in range(3)] == [200, 204, 404]


def test_cancelling_alone_never_erases(waiting: JobCaller, caller: JobCaller, tmp_path: Path) -> None:
    job, ended = waiting.submitted(), caller.ended(caller.submitted())

    answers = [cancel(waiting, job, "?only=cancel") for _ in range(3)]
    late = cancel(caller, ended, "?only=cancel")

    assert [(each.status_code, each.json()["state"]) for each in answers] == [(200, "cancelled")] * 3
    assert (late.status_code, late.json()["state"]) == (200, "completed")
    assert caller.look(ended)["state"] == "completed"
    assert b"sound" in stored(tmp_path)


def test_a_misspelt_order_to_cancel_alone_changes_nothing(waiting: JobCaller) -> None:
    job = waiting.submitted()

    assert problem(cancel(waiting, job, "?only=cancle")) == (400, "invalid-parameter")

    assert waiting.look(job)["state"] == "queued"


def test_an_erased_job_frees_its_key(waiting: JobCaller) -> None:
    key = {"Idempotency-Key": "k1"}
    first = waiting.submitted(headers=key)
    cancel(waiting, first)
    cancel(waiting, first)

    assert waiting.submitted(headers=key)["id"] != first["id"]


def test_a_failed_job_is_tried_again_as_a_new_one_with_its_settings(service: Service, tmp_path: Path) -> None:
    engine = FixedTranscriber(error=UndecodableAudioError("broken"))
    caller = service(container_for(tmp_path / "spool", engine, JOB_WORKERS="1"))
    wanted = {"channels": "separate", "vocabulary": "Acme", "metadata": '{"case": 1}'}
    failed = caller.ended(
        caller.submitted(data=wanted, headers={"X-User-ID": "alice", "Idempotency-Key": "k1"})
    )
    engine.error = None

    response = caller.send("POST", failed["links"]["retry"])

    again = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == again["links"]["self"]
    assert (again["state"], again["retry_of"]) == ("queued", failed["id"])
    same = ("options", "metadata", "recording", "user_id", "tenant_id")
    assert {name: again[name] for name in same} == {name: failed[name] for name in same}
    completed = caller.ended(again)
    assert completed["state"] == "completed"
    assert engine.heard == [b"sound", b"sound"]
    first = caller.look(failed)
    assert (first["state"], first["retried_as"], first["recording"]) == ("failed", again["id"], None)
    assert "retry" not in links_of(first)


def test_trying_again_twice_is_the_same_job(waiting: JobCaller) -> None:
    job = waiting.submitted()
    cancel(waiting, job)

    first, second = (waiting.send("POST", f"{job['links']['self']}/retry") for _ in range(2))

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["location"] == second.headers["location"]
    assert len(waiting.get("/batch/jobs").json()["jobs"]) == 2


def test_only_failed_and_cancelled_jobs_are_tried_again(caller: JobCaller, engine: FixedTranscriber) -> None:
    completed = caller.ended(caller.submitted())
    engine.held = True
    processing = caller.in_state(caller.submitted(), "processing")

    for job in (completed, processing):
        response = caller.send("POST", f"{job['links']['self']}/retry")
        assert problem(response) == (409, "job-not-retryable")
        assert job["state"] in response.json()["detail"]
        assert "retry-after" not in response.headers


def test_a_job_whose_recording_is_gone_is_not_tried_again(service: Service) -> None:
    waiting = service(JOB_WORKERS="0")
    job = waiting.submitted()
    cancel(waiting, job)
    waiting.container.jobs().expired(10, jobs_keep_seconds=1e6, recordings_keep_seconds=-1)

    response = waiting.send("POST", f"{job['links']['self']}/retry")

    assert problem(response) == (409, "job-not-retryable")
    assert "send it again" in response.json()["detail"]
    assert links_of(waiting.look(job)) == {"self", "events"}


def test_a_job_that_ends_while_it_is_cancelled_keeps_its_end(
    waiting: JobCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = waiting.submitted()
    jobs = waiting.container.job_service()
    find = jobs.find

    def and_then_it_ends(tenant_id: UUID, job_id: UUID) -> Any:
        seen = find(tenant_id, job_id)
        monkeypatch.setattr(jobs, "find", find)
        jobs.cancel(tenant_id, job_id)
        return seen

    monkeypatch.setattr(jobs, "find", and_then_it_ends)

    assert cancel(waiting, job).json()["state"] == "cancelled"
    assert waiting.look(job)["state"] == "cancelled"


def test_a_queued_job_survives_a_restart_and_is_done_by_the_next_service(service: Service) -> None:
    waiting = service(JOB_WORKERS="0")
    job = waiting.submitted()

    later = JobCaller(service(JOB_WORKERS="1").api, waiting.tenant)

    assert later.ended(job)["state"] == "completed"
