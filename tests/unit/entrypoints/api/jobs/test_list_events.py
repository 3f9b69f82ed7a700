"""Server-sent events of a list of jobs: the page, then what changes on it."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from uuid import UUID, uuid4

import pytest

from domain.model.access import Scope
from domain.model.api_keys import KeyGrant
from domain.model.errors import AuthenticatorUnavailableError, JobStoreUnavailableError, NotAudioError
from domain.services.api_keys import IssuedKey
from entrypoints.api.jobs import admission
from entrypoints.api.jobs.waiting import MAX_STREAMS
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import wait_until
from tests.unit.entrypoints.api.jobs.test_events import Listener, Server, server_on


class Message(NamedTuple):
    """One server-sent event."""

    event: str
    data: Any


class Reader:
    """Reads the events of a list from a connection of its own."""

    def __init__(self, connection: http.client.HTTPConnection, headers: dict[str, str], query: str) -> None:
        self._connection = connection
        connection.request("GET", f"/batch/jobs/events{query}", headers=headers)
        self.response = connection.getresponse()

    def next(self) -> Message:
        """Return the next event."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                return Message(fields["event"], json.loads(fields["data"]))
            else:
                fields.clear()
        raise AssertionError("the stream ended")

    def until(self, event: str) -> Message:
        """Return the next event of a kind."""
        while (message := self.next()).event != event:
            pass
        return message

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@contextmanager
def reading(server: Server, query: str = "") -> Iterator[Reader]:
    reader = Reader(server.connect(), server.headers, query)
    try:
        yield reader
    finally:
        reader.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A service whose jobs stay queued."""
    with server_on(tmp_path, FixedTranscriber(), JOB_WORKERS="0") as server:
        yield server


def ids(page: Any) -> list[str]:
    return [f"/batch/jobs/{job['id']}" for job in page["jobs"]]


def test_the_page_comes_first_and_again_with_each_new_job(server: Server) -> None:
    first = server.submitted()

    with reading(server) as reader:
        before = reader.next()
        second = server.submitted()
        after = reader.next()

    assert reader.response.getheader("x-accel-buffering") == "no"
    assert (before.event, ids(before.data)) == ("jobs", [first])
    assert (after.event, ids(after.data)) == ("jobs", [second, first])


def test_a_job_that_changes_comes_alone(server: Server) -> None:
    path = server.submitted()
    server.submitted()

    with reading(server) as reader:
        reader.next()
        server.send("DELETE", path)
        changed = reader.next()

    assert (changed.event, changed.data["state"]) == ("job", "cancelled")
    assert path.endswith(changed.data["id"])


def test_an_erased_job_leaves_the_page(server: Server) -> None:
    path, other = server.submitted(), server.submitted()
    server.send("DELETE", path)

    with reading(server) as reader:
        reader.next()
        server.send("DELETE", path)
        page = reader.until("jobs")

    assert ids(page.data) == [other]


def test_the_filters_of_the_list_count_for_its_events(server: Server) -> None:
    path = server.submitted()

    with reading(server, "?state=queued") as reader:
        assert ids(reader.next().data) == [path]
        server.send("DELETE", path)
        assert ids(reader.next().data) == []


def test_no_event_speaks_of_another_tenant(server: Server) -> None:
    mine = dict(server.headers)
    with reading(server) as reader:
        assert ids(reader.next().data) == []
        server.headers["X-Tenant-ID"] = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
        server.submitted()
        server.headers.update(mine)
        path = server.submitted()

        assert ids(reader.next().data) == [path]


def test_progress_and_end_of_a_job_are_told(tmp_path: Path) -> None:
    with (
        server_on(tmp_path, FixedTranscriber(error=NotAudioError("no sound")), JOB_WORKERS="1") as server,
        reading(server) as reader,
    ):
        reader.next()
        path = server.submitted()
        states: dict[str, str] = {}
        while path not in states or states[path] != "failed":
            message = reader.next()
            jobs = message.data["jobs"] if message.event == "jobs" else [message.data]
            states.update({f"/batch/jobs/{job['id']}": job["state"] for job in jobs})

    assert states == {path: "failed"}


def test_an_outage_of_the_store_delays_the_events(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = server.container.job_service()
    failures = []

    def fail(_: object) -> None:
        failures.append(1)
        raise JobStoreUnavailableError("away")

    with reading(server) as reader:
        reader.next()
        with monkeypatch.context() as outage:
            outage.setattr(jobs, "page", fail)
            wait_until(lambda: len(failures) > 1)
        path = server.submitted()
        assert ids(reader.next().data) == [path]


def test_the_limit_of_streams_holds_for_requests_that_come_together(server: Server) -> None:
    connections = [server.connect() for _ in range(MAX_STREAMS + 8)]
    for connection in connections:
        connection.request("GET", "/batch/jobs/events", headers=server.headers)

    answers = [connection.getresponse() for connection in connections]

    assert sorted(answer.status for answer in answers) == [200] * MAX_STREAMS + [204] * 8
    for answer, connection in zip(answers, connections, strict=True):
        answer.close()
        connection.close()


@pytest.mark.slow
def test_a_tenant_has_a_limited_number_of_streams_and_gets_its_place_back(server: Server) -> None:
    readers = [Reader(server.connect(), server.headers, "") for _ in range(MAX_STREAMS)]
    for reader in readers:
        reader.next()

    refused = Reader(server.connect(), server.headers, "")
    assert refused.response.status == 204
    refused.close()
    readers.pop().close()

    def has_place() -> bool:
        again = Reader(server.connect(), server.headers, "")
        status = again.response.status
        again.close()
        return status == 200

    wait_until(has_place)
    for reader in readers:
        reader.close()


@contextmanager
def server_of_a_key(tmp_path: Path) -> Iterator[tuple[Server, IssuedKey]]:
    """Run a service whose jobs stay queued, and whose callers have a key."""
    with server_on(tmp_path, FixedTranscriber(), JOB_WORKERS="0", AUTH="key") as server:
        grant = KeyGrant(uuid4(), "alice", frozenset(Scope))
        key = server.container.api_key_service().create(grant, lifetime_seconds=None)
        server.headers = {"Authorization": f"Bearer {key.plain.text}"}
        yield server, key


def test_the_events_end_with_the_key_that_opened_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "CHECK_SECONDS", 0.0)
    with server_of_a_key(tmp_path) as (server, key):
        path = server.submitted()
        job = Listener(server.connect(), server.headers, path)
        with closing(job), reading(server) as reader:
            reader.next()
            assert job.next().event == "progress"

            server.container.api_keys().revoke(key.plain.id)

            with pytest.raises(AssertionError, match="the stream ended"):
                reader.until("never")
            job_id = UUID(path.rpartition("/")[2])
            server.container.job_service().cancel(key.stored.grant.tenant_id, job_id)
            assert job.rest() == [], "the job has changed, and the caller does not learn of it"


def test_an_outage_of_the_keys_ends_no_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CHECK_SECONDS", 0.0)
    asked: list[str] = []

    def away(key_id: str) -> NoReturn:
        asked.append(key_id)
        raise AuthenticatorUnavailableError("the database is away")

    with server_of_a_key(tmp_path) as (server, _), reading(server) as reader:
        reader.next()
        with monkeypatch.context() as outage:
            outage.setattr(server.container.api_keys(), "find", away)
            wait_until(lambda: len(asked) >= 2)
        server.submitted()

        assert reader.until("jobs").data["jobs"]
