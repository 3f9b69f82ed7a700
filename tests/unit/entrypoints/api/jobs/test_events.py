"""Server-sent events of jobs, in this process and on a socket."""

import asyncio
import http.client
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from bootstrap.container import Container
from domain.model.errors import JobStoreUnavailableError, NotAudioError
from domain.model.jobs import JobProgress, JobStage
from entrypoints.api.jobs.events import events
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import container_for, multipart, serving, wait_until
from tests.unit.entrypoints.api.jobs.test_submission import problem

FORM = {"Content-Type": "multipart/form-data; boundary=xyz"}


class Message(NamedTuple):
    """One server-sent event."""

    id: int
    event: str
    data: Any


def message(lines: list[str]) -> Message:
    fields = dict(line.split(": ", maxsplit=1) for line in lines)
    assert set(fields) == {"id", "event", "data"}
    return Message(int(fields["id"]), fields["event"], json.loads(fields["data"]))


def messages(text: str) -> list[Message]:
    blocks = [block.splitlines() for block in text.split("\n\n") if block]
    assert blocks[0] == ["retry: 3000"]
    return [message(block) for block in blocks[1:] if not block[0].startswith(":")]


class Listener:
    """Reads the events of a job from a connection of its own."""

    def __init__(self, connection: http.client.HTTPConnection, headers: dict[str, str], path: str) -> None:
        self._connection = connection
        self._connection.request("GET", f"{path}/events", headers=headers)
        self.response = self._connection.getresponse()

    def next(self) -> Message:
        """Return the next event."""
        found = self.next_or_end()
        assert found is not None, "the stream ended"
        return found

    def rest(self) -> list[Message]:
        """Return the events up to the end of the stream."""
        return list(iter(self.next_or_end, None))

    def next_or_end(self) -> Message | None:
        """Return the next event; None at the end of the stream."""
        lines: list[str] = []
        while line := self.response.readline().decode():
            if line != "\n":
                lines.append(line.rstrip("\n"))
            elif lines and not lines[0].startswith((":", "retry")):
                return message(lines)
            else:
                lines.clear()
        return None

    def close(self) -> None:
        self.response.close()
        self._connection.close()

    def hang_up(self) -> None:
        """Reset the connection, as the system of a caller that has left does with what arrives."""
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class Server:
    """Service on a socket, with one tenant."""

    def __init__(self, port: int, container: Container) -> None:
        self._port = port
        self.container = container
        self.headers = {"X-Tenant-ID": str(uuid4())}

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)

    def send(self, method: str, path: str, body: bytes | None = None) -> http.client.HTTPMessage:
        """Send a request, and return the headers of its answer."""
        with closing(self.connect()) as connection:
            connection.request(method, path, body, self.headers | (FORM if body else {}))
            response = connection.getresponse()
            response.read()
            return response.headers

    def submitted(self) -> str:
        """Submit a job, and return its path."""
        return str(self.send("POST", "/batch/jobs", multipart(b"sound"))["location"])

    def only_job(self) -> str:
        """Return the path of the one job of the tenant."""
        with closing(self.connect()) as connection:
            connection.request("GET", "/batch/jobs", headers=self.headers)
            (job,) = json.loads(connection.getresponse().read())["jobs"]
            return str(job["links"]["self"])

    def listen(self, path: str) -> Listener:
        return Listener(self.connect(), self.headers, path)

    def watchers(self) -> int:
        return sum(len(each) for each in self.container.job_follower()._watchers.values())


@contextmanager
def server_on(tmp_path: Path, engine: FixedTranscriber, **environ: str) -> Iterator[Server]:
    container = container_for(tmp_path / "spool", engine, **environ)
    with serving(container) as port:
        yield Server(port, container)


def test_an_ended_job_is_one_event_and_the_end(caller: JobCaller) -> None:
    job = caller.ended(caller.submitted())

    response = caller.get(job["links"]["events"])

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert messages(response.text) == [Message(job["revision"], "completed", job)]


def test_a_client_that_has_the_final_state_is_told_to_connect_no_more(caller: JobCaller) -> None:
    job = caller.ended(caller.submitted())

    known, older = (
        caller.get(job["links"]["events"], headers={"Last-Event-ID": str(revision)})
        for revision in (job["revision"], job["revision"] - 1)
    )

    assert (known.status_code, known.content) == (204, b"")
    assert [each.event for each in messages(older.text)] == ["completed"]


def test_there_are_no_events_of_an_unknown_job(waiting: JobCaller) -> None:
    job = waiting.submitted()

    assert problem(waiting.get(f"/batch/jobs/{uuid4()}/events")) == (404, "job-not-found")
    assert problem(JobCaller(waiting.api).get(job["links"]["events"])) == (404, "job-not-found")


def test_head_has_the_headers_and_does_not_wait_for_the_end(waiting: JobCaller) -> None:
    response = waiting.send("HEAD", waiting.submitted()["links"]["events"])

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-length" not in response.headers


def test_each_change_is_an_event_until_the_end(tmp_path: Path) -> None:
    with server_on(tmp_path, FixedTranscriber(), JOB_WORKERS="0") as server:
        path = server.submitted()
        listener = server.listen(path)
        first = listener.next()
        jobs = server.container.jobs()
        (lease,) = jobs.claim([server.container.settings().job_queue], limit=1, lease_seconds=60)
        jobs.advance(lease, JobProgress(JobStage.TRANSCRIBING, 10.0, 60.0, 5.0))
        seen = [listener.next()]
        while seen[-1].data["stage"] != "transcribing":  # the claim may show by itself
            seen.append(listener.next())
        server.send("DELETE", path)
        last, *others = listener.rest()
        listener.close()

    assert (first.event, first.data["state"], first.id) == ("progress", "queued", first.data["revision"])
    assert seen[-1].data["progress"] == {"done_seconds": 10.0, "total_seconds": 60.0, "eta_seconds": 5.0}
    assert {each.event for each in seen} == {"progress"}
    assert (last.event, last.data["state"]) == ("cancelled", "cancelled")
    assert others == []
    ids = [each.id for each in (first, *seen, last)]
    assert ids == sorted(set(ids))


def test_a_failed_job_ends_its_events(tmp_path: Path) -> None:
    engine = FixedTranscriber(error=NotAudioError("a zip"))
    with server_on(tmp_path, engine, JOB_WORKERS="1") as server:
        listener = server.listen(server.submitted())
        seen = listener.rest()
        listener.close()

    assert seen[-1].event == "failed"
    assert seen[-1].data["problem"]["type"] == "urn:batch-transcription:problem:not-audio"


def test_a_listener_that_leaves_is_watched_for_no_more(tmp_path: Path) -> None:
    with server_on(tmp_path, FixedTranscriber(), JOB_WORKERS="0") as server:
        listener = server.listen(server.submitted())
        listener.next()
        wait_until(lambda: server.watchers() == 1)

        listener.hang_up()

        wait_until(lambda: server.watchers() == 0)


def test_events_and_waits_end_when_the_service_does(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with server_on(
            tmp_path, FixedTranscriber(), JOB_WORKERS="0", SHUTDOWN_GRACE_SECONDS="3600"
        ) as server:
            path = server.submitted()
            listener = server.listen(path)
            stack.callback(listener.close)
            first = listener.next()
            poll, upload = (stack.enter_context(closing(server.connect())) for _ in range(2))
            poll.request("GET", f"{path}?wait=60", headers=server.headers)
            headers = server.headers | FORM | {"Prefer": "wait=300"}
            upload.request("POST", "/batch/process", multipart(b"sound"), headers)
            wait_until(lambda: server.watchers() == 3)

        polled, accepted = poll.getresponse(), upload.getresponse()
        assert first.event == "progress"
        assert listener.rest() == []
        assert (polled.status, json.loads(polled.read())["state"]) == (200, "queued")
        assert (accepted.status, json.loads(accepted.read())["state"]) == (202, "queued")


def test_a_caller_that_leaves_while_it_waits_for_a_job_leaves_the_job(tmp_path: Path) -> None:
    engine = FixedTranscriber()
    engine.held = True
    with server_on(tmp_path, engine, JOB_WORKERS="1") as server:
        upload = server.connect()
        upload.request(
            "POST", "/batch/process", multipart(b"sound"), server.headers | FORM | {"Prefer": "wait=300"}
        )
        wait_until(lambda: server.watchers() and engine.heard)

        upload.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        upload.close()

        wait_until(lambda: not server.watchers())
        engine.let_go()
        listener = server.listen(server.only_job())
        assert listener.rest()[-1].event == "completed"
        listener.close()
    assert engine.cancelled == 0


def test_a_caller_that_leaves_without_having_asked_for_a_job_cancels_the_work(tmp_path: Path) -> None:
    engine = FixedTranscriber()
    engine.held = True
    with server_on(tmp_path, engine, JOB_WORKERS="1") as server:
        upload = server.connect()
        upload.request("POST", "/batch/process", multipart(b"sound"), server.headers | FORM)
        wait_until(lambda: engine.heard)

        upload.close()

        wait_until(lambda: engine.cancelled == 1)


@pytest.mark.slow
def test_a_hundred_listeners_of_one_job_cost_one_query_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server_on(tmp_path, FixedTranscriber(), JOB_WORKERS="0") as server:
        jobs = server.container.jobs()
        queries: list[int] = []
        revisions = jobs.revisions

        def counted(ids: Any) -> Any:
            queries.append(len(ids))
            return revisions(ids)

        monkeypatch.setattr(jobs, "revisions", counted)
        path = server.submitted()
        listeners = [server.listen(path) for _ in range(100)]
        wait_until(lambda: server.watchers() == 100)
        before = len(queries)
        wait_until(lambda: len(queries) >= before + 3)
        asked = queries[before:]
        server.send("DELETE", path)
        ends = [listener.rest()[-1].event for listener in listeners]
        for listener in listeners:
            listener.close()

    assert set(asked) == {1}
    assert ends == ["cancelled"] * 100


class Follower:
    """Context of a stream: changes are scripted, and the store fails when a test says so."""

    def __init__(self, *outcomes: Any) -> None:
        self.waits = SimpleNamespace(is_ending=False)
        self.jobs = SimpleNamespace(find=lambda *_: self._next())
        self.admission = self
        self._outcomes = list(outcomes)

    async def changed(self, _job: Any, *, timeout_seconds: float) -> bool:
        assert timeout_seconds == 7
        return self._outcomes[0] is not None or self._outcomes.pop(0) is not None

    async def holds(self) -> bool:
        return True

    async def snapshot(self, job: Any) -> Any:
        return job

    def _next(self) -> Any:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Snapshot(SimpleNamespace):
    """Job and its snapshot."""

    def model_dump_json(self, *, by_alias: bool) -> str:
        return json.dumps({"revision": self.revision, "by_alias": by_alias})


def snapshot(revision: int, *, is_final: bool = False) -> Any:
    state = SimpleNamespace(is_final=is_final, value="completed")
    order = SimpleNamespace(identity=SimpleNamespace(tenant_id=None))
    return Snapshot(revision=revision, state=state, order=order, id=None)


def test_silence_is_filled_and_an_outage_outlived() -> None:
    away = JobStoreUnavailableError("the database is away")
    context: Any = Follower(None, snapshot(2), away, None, snapshot(3, is_final=True))

    async def listen() -> list[str]:
        stream = events(context, snapshot(1), snapshot(1), heartbeat_seconds=7)
        return [text async for text in stream]

    texts = asyncio.run(listen())

    kinds = [text.partition(":")[0] or text for text in texts]
    assert kinds == ["retry", ": heartbeat\n\n", "id", ": heartbeat\n\n", ": heartbeat\n\n", "id"]
    assert texts[-1].startswith("id: 3\nevent: completed\ndata: {")
