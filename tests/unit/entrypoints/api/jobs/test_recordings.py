"""Recordings of jobs to listen to and to look at, over HTTP."""

import io
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest
from dependency_injector import providers
from fastapi.testclient import TestClient

from domain.model.errors import UndecodableAudioError
from entrypoints.api.app import create_app
from entrypoints.api.server.protocol import ProblemH11Protocol
from ports.playback_port import CopyRefusal, PlaybackCopy
from tests.support.doubles.playback import FixedPlayback
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import container_for, serving, wait_until
from tests.support.samples.recordings import record, tone
from tests.unit.entrypoints.api.jobs.conftest import Service
from tests.unit.entrypoints.api.jobs.test_events import Server
from tests.unit.entrypoints.api.jobs.test_submission import problem

pytestmark = pytest.mark.process


def recording_of(job: Any) -> str:
    return f"{job['links']['self']}/recording"


def copies_of(folder: Path) -> list[Path]:
    return [file for file in folder.glob("spool/playback/**/*") if file.is_file()]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return record(tmp_path_factory.mktemp("sound") / "recording", tone(3)).read_bytes()


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobCaller]:
    """A caller of a service that the tests of this module share."""
    container = container_for(
        tmp_path_factory.mktemp("player") / "spool", FixedTranscriber(), JOB_WORKERS="2"
    )
    with TestClient(create_app(container), raise_server_exceptions=False) as api:
        yield JobCaller(api)


@pytest.fixture(scope="module")
def job(player: JobCaller, sound: bytes) -> Any:
    return player.ended(player.submitted(sound))


@pytest.fixture(scope="module")
def whole(player: JobCaller, job: Any) -> Any:
    return player.get(recording_of(job))


def test_a_recording_is_answered_with_a_copy_that_every_browser_plays(whole: Any) -> None:
    with av.open(io.BytesIO(whole.content), "r") as container:
        (stream,) = container.streams.audio
        assert (stream.codec_context.name, stream.codec_context.channels) == ("aac", 1)
        assert container.duration is not None
        assert abs(container.duration / av.time_base - 3) < 0.1
    assert whole.status_code == 200
    assert whole.content.find(b"moov") < whole.content.find(b"mdat")


def test_a_copy_is_nothing_but_sound_and_no_cache_keeps_it(whole: Any, job: Any) -> None:
    assert whole.headers["content-type"] == "audio/mp4"
    assert whole.headers["content-disposition"] == f'attachment; filename="{job["id"]}.m4a"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert whole.headers["cache-control"] == "private, no-store"
    assert whole.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=99999999-"])
def test_a_range_of_head_is_ignored(player: JobCaller, job: Any, whole: Any, asked: str) -> None:
    head = player.send("HEAD", recording_of(job), headers={"Range": asked})

    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(whole.content))


def test_head_is_answered_like_get_without_the_sound(player: JobCaller, job: Any, whole: Any) -> None:
    head = player.send("HEAD", recording_of(job))

    assert head.status_code == 200
    assert head.content == b""
    ours = {"x-interaction-id"}
    assert {*head.headers.items()} - {*whole.headers.items()} == {
        (name, value) for name, value in head.headers.items() if name in ours
    }


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=100-199", 100, 199),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=500-99999999", 500, None),
    ],
)
def test_a_range_is_answered_with_its_bytes(
    player: JobCaller, job: Any, whole: Any, asked: str, first: int, last: int | None
) -> None:
    size = len(whole.content)
    wanted = whole.content[first : None if last is None else last + 1]
    start = first % size

    answer = player.get(recording_of(job), headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == wanted
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(wanted) - 1}/{size}"
    assert answer.headers["content-length"] == str(len(wanted))
    assert answer.headers["etag"] == whole.headers["etag"]
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=5-2", "bytes=", "bytes=a-b", "seconds=0-1", "bytes=--5", "0-1"]
)
def test_a_malformed_range_and_several_ones_are_ignored(
    player: JobCaller, job: Any, whole: Any, asked: str
) -> None:
    answer = player.get(recording_of(job), headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, whole.content)


def test_a_range_behind_the_end_is_a_problem_that_says_how_long_the_copy_is(
    player: JobCaller, job: Any, whole: Any
) -> None:
    answer = player.get(recording_of(job), headers={"Range": "bytes=99999999-"})

    assert problem(answer) == (416, "range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(whole.content)}"


def test_a_range_of_another_copy_is_answered_with_the_whole_one(
    player: JobCaller, job: Any, whole: Any
) -> None:
    def answer(tag: str) -> tuple[int, int]:
        got = player.get(recording_of(job), headers={"Range": "bytes=10-19", "If-Range": tag})
        return got.status_code, len(got.content)

    assert answer(whole.headers["etag"]) == (206, 10)
    assert answer('"another"') == (200, len(whole.content))


def test_a_waveform_has_the_length_and_the_peaks(player: JobCaller, job: Any) -> None:
    answer = player.get(f"{job['links']['self']}/waveform")

    waveform = answer.json()
    assert answer.headers["cache-control"] == "private, no-store"
    assert abs(waveform["duration_seconds"] - 3) < 0.1
    assert len(waveform["peaks"]) == 600
    assert max(waveform["peaks"]) == pytest.approx(8_000 / 2**15 * 127, abs=2)
    assert min(waveform["peaks"]) == pytest.approx(-8_000 / 2**15 * 127, abs=2)


@pytest.mark.parametrize("path", ["recording", "waveform"])
def test_another_tenants_recording_is_unknown(player: JobCaller, job: Any, path: str) -> None:
    answer = JobCaller(player.api).get(f"{job['links']['self']}/{path}")

    assert problem(answer) == (404, "job-not-found")


def test_requests_at_the_same_time_get_one_copy(player: JobCaller, sound: bytes) -> None:
    fresh = player.ended(player.submitted(sound))

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: player.get(recording_of(fresh)), range(6)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["last-modified"] + answer.headers["etag"] for answer in answers}) == 1


def test_what_cannot_be_decoded_is_a_problem_and_leaves_no_file(service: Service, tmp_path: Path) -> None:
    caller = service(JOB_WORKERS="2")

    answer = caller.get(recording_of(caller.ended(caller.submitted(b"sound"))))

    assert problem(answer) == (415, "not-audio")
    assert copies_of(tmp_path) == []


def test_an_erasure_removes_the_copy(service: Service, sound: bytes, tmp_path: Path) -> None:
    caller = service(JOB_WORKERS="2")
    erased = caller.ended(caller.submitted(sound))
    assert caller.get(recording_of(erased)).status_code == 200
    kept = copies_of(tmp_path)

    caller.send("DELETE", erased["links"]["self"])

    assert len(kept) == 1
    assert copies_of(tmp_path) == []
    for path in ("recording", "waveform"):
        assert problem(caller.get(f"{erased['links']['self']}/{path}")) == (404, "job-not-found")


def test_a_recording_that_is_not_kept_is_gone(service: Service, sound: bytes) -> None:
    caller = service(JOB_WORKERS="2", RECORDING_KEEP_DAYS="0")
    ended = caller.ended(caller.submitted(sound))
    caller.container.job_sweeper().sweep()
    wait_until(lambda: caller.look(ended)["recording"] is None)

    answer = caller.get(recording_of(ended))

    assert problem(answer) == (410, "recording-gone")


def test_the_end_of_the_service_removes_its_copies(sound: bytes, tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), JOB_WORKERS="2")
    with TestClient(create_app(container)) as api:
        caller = JobCaller(api)
        assert caller.get(recording_of(caller.ended(caller.submitted(sound)))).status_code == 200
        assert len(copies_of(tmp_path)) == 1

    assert copies_of(tmp_path) == []


@pytest.mark.parametrize(
    ("refusal", "status", "name", "retry"),
    [
        (CopyRefusal.BUSY, 503, "too-many-copies", "5"),
        (CopyRefusal.FULL, 507, "storage-full", None),
        (UndecodableAudioError("Its decoder crashed."), 422, "undecodable-audio", None),
        (PlaybackCopy(Path("/nowhere/copy.mp4"), "tag", 1.0, ()), 404, "job-not-found", None),
    ],
    ids=["busy", "full", "undecodable", "file gone"],
)
def test_a_copy_that_there_is_not_is_a_problem(
    service: Service,
    tmp_path: Path,
    refusal: PlaybackCopy | CopyRefusal | Exception,
    status: int,
    name: str,
    retry: str | None,
) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), JOB_WORKERS="2")
    container.playback.override(providers.Object(FixedPlayback(refusal)))
    caller = service(container)

    answer = caller.get(recording_of(caller.ended(caller.submitted())))

    assert problem(answer) == (status, name)
    assert answer.headers.get("retry-after") == retry


def test_a_listener_who_has_paused_does_not_keep_the_service_from_ending(tmp_path: Path) -> None:
    class Impatient(ProblemH11Protocol):
        read_seconds = 0.5

    (tmp_path / "copy").write_bytes(bytes(50_000_000))
    container = container_for(tmp_path / "spool", FixedTranscriber())
    copy = PlaybackCopy(tmp_path / "copy", "0" * 64, 3.0, ())
    container.playback.override(providers.Object(FixedPlayback(copy)))
    with socket.socket() as listener, serving(container, http=Impatient) as port:
        server = Server(port, container)
        path, tenant = server.submitted(), server.headers["X-Tenant-ID"]
        listener.connect(("127.0.0.1", port))
        head = f"GET {path}/recording HTTP/1.1\r\nHost: test\r\nX-Tenant-ID: {tenant}\r\n\r\n"
        listener.sendall(head.encode())
        assert listener.recv(12) == b"HTTP/1.1 200"

    assert not container.jobs().counts().processing
