"""Looking at jobs: every state, entity tags, long polling, transcripts and the state of the event."""

from collections.abc import Iterator, Mapping, Sequence
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from dependency_injector import providers

from bootstrap.container import Container
from domain.model import errors
from domain.model.events.kinds import EventKind
from domain.model.jobs import JobProgress, JobStage
from domain.model.outbox import EventStatus, Published, Rejected
from domain.services.jobs.announcement import JobAnnouncement
from domain.services.jobs.failures import CANCELLED
from tests.support.doubles.transcription import SPOKEN, FixedTranscriber
from tests.support.harness.job_api import JobCaller, links_of
from tests.support.harness.leases import lease_of
from tests.support.harness.service import container_for, wait_until
from tests.unit.entrypoints.api.jobs.conftest import Service
from tests.unit.entrypoints.api.jobs.test_submission import problem, unavailable

BROKEN = errors.UndecodableAudioError("The sound ends in the middle of a frame.")


@pytest.fixture
def announcing(service: Service, container: Container) -> JobCaller:
    """A caller of a service whose jobs have events, which no relay sends."""
    announcement = JobAnnouncement(kinds=tuple(EventKind), wake=lambda: None)
    container.job_announcement.override(providers.Object(announcement))
    return service(container)


@pytest.fixture
def container(tmp_path: Any, engine: FixedTranscriber) -> Container:
    return container_for(tmp_path / "spool", engine, JOB_WORKERS="2")


@pytest.fixture
def held(caller: JobCaller, engine: FixedTranscriber) -> Iterator[Any]:
    """A job that is being processed until its engine is let go."""
    engine.held = True
    job = caller.submitted()
    wait_until(lambda: engine.heard)
    yield job
    engine.let_go()


def tag_of(caller: JobCaller, job: Any) -> str:
    tag: str = caller.get(job["links"]["self"]).headers["etag"]
    return tag


def test_a_job_is_shown_in_every_state(caller: JobCaller, held: Any, engine: FixedTranscriber) -> None:
    processing = caller.in_state(held, "processing")
    engine.let_go()
    completed = caller.ended(held)

    assert processing["stage"] in {"fetching", "transcribing"}
    assert processing["finished_at"] is None
    assert processing["started_at"] >= processing["created_at"]
    assert links_of(processing) == {"self", "events", "cancel"}
    assert (completed["state"], completed["stage"], completed["problem"]) == ("completed", None, None)
    assert completed["finished_at"] == completed["updated_at"]
    assert completed["revision"] > processing["revision"] > held["revision"]
    assert links_of(completed) == {"self", "events", "transcript"}
    assert completed["progress"] == {"done_seconds": 3.5, "total_seconds": 3.5, "eta_seconds": None}


def test_a_failed_job_has_its_problem_as_an_upload_has_it(service: Service, tmp_path: Any) -> None:
    caller = service(container_for(tmp_path / "spool", FixedTranscriber(error=BROKEN), JOB_WORKERS="1"))

    job = caller.ended(caller.submitted())

    refused = caller.submit(path="/batch/process").json()
    assert job["state"] == "failed"
    assert job["problem"] == {**refused, "retryable": False}
    assert (refused["status"], refused["detail"]) == (422, str(BROKEN))
    assert links_of(job) == {"self", "events", "retry"}


def test_a_job_that_waits_again_shows_why_its_last_try_failed(service: Service, tmp_path: Any) -> None:
    engine = FixedTranscriber(error=errors.TranscriberCrashedError("killed by SIGSEGV"))
    caller = service(container_for(tmp_path / "spool", engine, JOB_WORKERS="1"))
    submitted = caller.submitted()
    wait_until(lambda: caller.look(submitted)["failures"])

    job = caller.in_state(submitted, "queued")
    assert job["failures"] in {1, 2}
    assert (job["problem"]["type"].rpartition(":")[2], job["problem"]["retryable"]) == (
        "transcriber-crashed",
        True,
    )
    assert job["problem"]["status"] == 500


@pytest.mark.parametrize("suffix", ["", "/events", "/transcript"])
def test_an_unknown_job_is_answered_like_one_of_another_tenant_byte_for_byte(
    caller: JobCaller, suffix: str
) -> None:
    path = f"/batch/jobs/{caller.ended(caller.submitted())['id']}"
    stranger = JobCaller(caller.api)
    ids = (path, f"/batch/jobs/{uuid4()}", "/batch/jobs/7", "/batch/jobs/%00", f"/batch/jobs/{'x' * 1000}")

    same = {"X-Interaction-ID": str(uuid4())}
    answers = [stranger.get(each + suffix, headers=same) for each in ids]

    assert {answer.content for answer in answers} == {answers[0].content}
    assert {tuple(answer.headers.items()) for answer in answers} == {tuple(answers[0].headers.items())}
    assert problem(answers[0]) == (404, "job-not-found")


def test_no_call_reaches_a_job_of_another_tenant(waiting: JobCaller) -> None:
    job, stranger = waiting.submitted(), JobCaller(waiting.api)

    answers = [
        stranger.send("DELETE", job["links"]["self"]),
        stranger.send("POST", f"{job['links']['self']}/retry"),
        stranger.get(f"{job['links']['self']}?wait=60"),
    ]

    assert [problem(answer) for answer in answers] == [(404, "job-not-found")] * 3
    assert stranger.get("/batch/jobs").json() == {"jobs": [], "next": None}
    assert waiting.look(job) == job


def test_a_known_snapshot_is_not_sent_again(waiting: JobCaller) -> None:
    job = waiting.submitted()
    tag = tag_of(waiting, job)

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = waiting.get(job["links"]["self"], headers={"If-None-Match": known})

        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == tag
        assert response.headers["cache-control"] == "private, no-cache"
        assert "content-type" not in response.headers
    for other in ('"other"', tag.strip('"'), ""):
        assert waiting.get(job["links"]["self"], headers={"If-None-Match": other}).status_code == 200


def test_a_change_has_another_entity_tag(caller: JobCaller, held: Any, engine: FixedTranscriber) -> None:
    tag = tag_of(caller, held)
    engine.let_go()
    caller.ended(held)

    response = caller.get(held["links"]["self"], headers={"If-None-Match": tag})

    assert (response.status_code, response.json()["state"]) == (200, "completed")
    assert tag_of(caller, held) == response.headers["etag"] != tag
    assert "retry-after" not in response.headers


def test_head_has_the_headers_of_get(waiting: JobCaller) -> None:
    job = waiting.submitted()

    head, get = (waiting.send(method, job["links"]["self"]) for method in ("HEAD", "GET"))

    assert (head.status_code, head.headers["etag"]) == (200, get.headers["etag"])


@pytest.mark.parametrize(("eta", "seconds"), [(None, "5"), (0.2, "2"), (17.2, "18"), (3600.0, "60")], ids=str)
def test_retry_after_follows_the_estimate(waiting: JobCaller, eta: float | None, seconds: str) -> None:
    job, jobs = waiting.submitted(), waiting.container.jobs()
    lease = lease_of(jobs, UUID(job["id"]), waiting.stored(job).order.queue)
    jobs.advance(lease, JobProgress(JobStage.TRANSCRIBING, 10.0, 60.0, eta))

    response = waiting.get(job["links"]["self"])

    assert response.headers["retry-after"] == seconds
    assert response.json()["progress"] == {"done_seconds": 10.0, "total_seconds": 60.0, "eta_seconds": eta}
    assert response.json()["stage"] == "transcribing"


class Waiter:
    """Long poll in a thread of its own."""

    def __init__(self, caller: JobCaller, path: str, tag: str | None = None) -> None:
        self.answers: list[Any] = []
        headers = {} if tag is None else {"If-None-Match": tag}
        self._thread = Thread(target=lambda: self.answers.append(caller.get(path, headers=headers)))
        self._thread.start()

    def join(self) -> Any:
        self._thread.join(60)
        return self.answers[0]


def watchers(caller: JobCaller) -> int:
    return len(caller.container.job_follower()._watchers)


@pytest.mark.parametrize("is_tagged", [True, False], ids=["with a tag", "without"])
def test_a_long_poll_is_answered_with_the_next_change(waiting: JobCaller, *, is_tagged: bool) -> None:
    job = waiting.submitted()
    poll = Waiter(waiting, f"{job['links']['self']}?wait=60", tag_of(waiting, job) if is_tagged else None)
    wait_until(lambda: watchers(waiting))

    waiting.send("DELETE", job["links"]["self"])

    answer = poll.join()
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert watchers(waiting) == 0


@pytest.mark.parametrize(("tagged", "status"), [(True, 304), (False, 200)])
def test_a_long_poll_without_a_change_is_answered_after_its_time(
    waiting: JobCaller, *, tagged: bool, status: int
) -> None:
    job = waiting.submitted()
    headers = {"If-None-Match": tag_of(waiting, job)} if tagged else {}

    assert waiting.get(f"{job['links']['self']}?wait=0.05", headers=headers).status_code == status


def test_a_long_poll_of_a_caller_with_an_old_snapshot_or_of_an_ended_job_does_not_wait(
    waiting: JobCaller,
) -> None:
    job = waiting.submitted()
    path = f"{job['links']['self']}?wait=60"

    assert waiting.get(path, headers={"If-None-Match": '"1-old"'}).json()["state"] == "queued"
    waiting.send("DELETE", job["links"]["self"])
    assert waiting.get(path).json()["state"] == "cancelled"
    assert waiting.get(path, headers={"If-None-Match": tag_of(waiting, job)}).status_code == 304


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "inf", ""])
def test_a_wait_that_is_no_number_of_seconds_is_refused(waiting: JobCaller, wait: str) -> None:
    response = waiting.get(f"{waiting.submitted()['links']['self']}?wait={wait}")

    assert problem(response) == (400, "invalid-parameter")
    assert "'wait'" in response.json()["detail"]


def test_a_job_that_is_erased_during_a_long_poll_is_gone(waiting: JobCaller) -> None:
    job = waiting.submitted()
    poll = Waiter(waiting, f"{job['links']['self']}?wait=60")
    wait_until(lambda: watchers(waiting))

    jobs = waiting.container.job_service()
    jobs.cancel(UUID(waiting.tenant), UUID(job["id"]))
    jobs.erase(UUID(waiting.tenant), UUID(job["id"]), requested_by="alice")

    answer = poll.join()
    assert (answer.status_code, answer.json().get("state")) in {(404, None), (200, "cancelled")}


def test_the_transcript_is_that_of_an_upload(caller: JobCaller) -> None:
    job = caller.ended(caller.submitted(headers={"X-User-ID": "alice"}, data={"note": "x"}))

    fetched = caller.get(job["links"]["transcript"])
    answer = caller.submit(path="/batch/process", headers={"X-User-ID": "alice"}, data={"note": "x"}).json()

    assert fetched.status_code == 200
    own = {"interaction_id": job["id"], "event": {"status": "disabled", "event_id": None}}
    warned = [{"code": "unknown-parameter", "detail": fetched.json()["warnings"][0]["detail"]}]
    assert fetched.json() == answer | own | {"warnings": warned}
    assert fetched.headers["vary"] == "Accept"
    assert fetched.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("accepted", "content_type", "begin"),
    [
        ("application/json", "application/json", '{"interaction_id"'),
        ("*/*", "application/json", '{"interaction_id"'),
        ("text/plain", "text/plain; charset=utf-8", "Hello"),
        ("text/vtt", "text/vtt; charset=utf-8", "WEBVTT"),
        ("application/x-subrip", "application/x-subrip; charset=utf-8", "1\n00:00:00,250"),
    ],
)
def test_the_transcript_has_the_form_that_the_caller_accepts(
    caller: JobCaller, accepted: str, content_type: str, begin: str
) -> None:
    job = caller.ended(caller.submitted())

    response = caller.get(job["links"]["transcript"], headers={"Accept": accepted})

    assert (response.status_code, response.headers["content-type"]) == (200, content_type)
    assert response.text.startswith(begin)
    assert response.headers["vary"] == "Accept"
    refused = caller.get(job["links"]["transcript"], headers={"Accept": "text/html"})
    assert problem(refused) == (406, "not-acceptable")


def test_there_is_no_transcript_before_the_end_or_without_one(waiting: JobCaller) -> None:
    path = waiting.submitted()["links"]["self"]

    early = waiting.get(f"{path}/transcript")
    waiting.send("DELETE", path)
    late = waiting.get(f"{path}/transcript")

    assert problem(early) == (409, "job-unfinished")
    assert early.headers["retry-after"] == "5"
    assert problem(late) == (409, "job-without-transcript")
    assert "retry-after" not in late.headers


def test_the_state_of_the_event_is_followed_after_the_end(announcing: JobCaller) -> None:
    job = announcing.ended(announcing.submitted())
    tag, outbox = tag_of(announcing, job), announcing.container.outbox()

    (lease,) = outbox.lease_due(1, lease_seconds=60)
    outbox.record([Published(lease, "receipt-1")])

    published = announcing.get(job["links"]["self"], headers={"If-None-Match": tag})
    assert job["event"] == {"status": "queued", "event_id": None}
    assert published.json()["event"] == {"status": "published", "event_id": "receipt-1"}
    assert published.json()["revision"] == job["revision"]
    transcript = announcing.get(job["links"]["transcript"]).json()
    assert transcript["event"] == published.json()["event"]
    outbox.prune(older_than_days=-1)
    assert announcing.look(job)["event"] == {"status": "published", "event_id": None}


def test_a_rejected_event_shows_as_failed(announcing: JobCaller) -> None:
    job = announcing.ended(announcing.submitted())
    (lease,) = announcing.container.outbox().lease_due(1, lease_seconds=60)

    announcing.container.outbox().record([Rejected(lease, "too large")])

    assert announcing.look(job)["event"] == {"status": "failed", "event_id": None}


def test_an_event_with_another_id_than_its_job_is_told(
    announcing: JobCaller, engine: FixedTranscriber
) -> None:
    engine.held = True
    job = announcing.submitted()
    wait_until(lambda: engine.heard)
    taken = announcing.container.job_announcement().of_failure(announcing.stored(job), CANCELLED)
    assert taken is not None
    announcing.container.outbox().add(taken)
    engine.let_go()

    ended = announcing.ended(job)

    (warning,) = ended["warnings"]
    transcript = announcing.get(ended["links"]["transcript"]).json()
    assert ended["id"] == job["id"] != ended["interaction_id"]
    assert warning["code"] == "interaction-id-replaced"
    assert ended["interaction_id"] in warning["detail"]
    assert (transcript["interaction_id"], transcript["warnings"]) == (ended["interaction_id"], [warning])


@pytest.mark.parametrize("path", ["", "/transcript", "/events"])
def test_while_the_store_is_away_callers_are_asked_to_come_back(
    waiting: JobCaller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = waiting.submitted()
    monkeypatch.setattr(waiting.container.jobs(), "find", unavailable)

    response = waiting.get(job["links"]["self"] + path)

    assert problem(response) == (503, "job-store-unavailable")
    assert response.headers["retry-after"] == "2"


def test_spoken_words_are_in_no_snapshot(caller: JobCaller) -> None:
    job = caller.ended(caller.submitted())

    assert SPOKEN.segments[0].text not in caller.get(job["links"]["self"]).text


def test_the_events_of_all_jobs_of_a_page_are_looked_up_at_once(
    announcing: JobCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [announcing.ended(announcing.submitted()) for _ in range(3)]
    outbox, asked = announcing.container.outbox(), list[int]()
    look = outbox.statuses

    def counted(ids: Sequence[UUID]) -> Mapping[UUID, EventStatus]:
        asked.append(len(ids))
        return look(ids)

    monkeypatch.setattr(outbox, "statuses", counted)

    listed = announcing.get("/batch/jobs").json()["jobs"]

    assert asked == [len(jobs)]
    assert {job["event"]["status"] for job in listed} == {"queued"}
