"""Makers of copies: real processes in their sandbox, and impostors that a recording has taken over."""

import asyncio
import os
from pathlib import Path

import av
import pytest

from adapters.speech.copies.maker import CopyMaker, NoRoomError
from adapters.speech.workers.protocol import Copied
from domain.model.errors import NotAudioError, TranscriberUnavailableError, UndecodableAudioError
from tests.support.harness.service import eventually
from tests.support.harness.workers import impostor
from tests.support.samples.recordings import record, tone

pytestmark = pytest.mark.process


def maker(
    *,
    python: Path | None = None,
    has_room: bool = True,
    stall_seconds: float = 60.0,
    max_seconds: float = 600.0,
    max_audio_seconds: float = 600.0,
) -> CopyMaker:
    options = {} if python is None else {"python": str(python)}
    return CopyMaker(
        max_audio_seconds=max_audio_seconds,
        stall_seconds=stall_seconds,
        has_room=lambda: has_room,
        max_seconds=max_seconds,
        **options,
    )


def says(line: bytes, content: str = "b''") -> str:
    return f"sys.stdout.buffer.write({line!r} + {content}); sys.stdout.buffer.flush()"


def taken_over(tmp_path: Path, *statements: str) -> Path:
    """Write an interpreter whose process is ready, gets a job, and then does as the recording wants."""
    return impostor(tmp_path / "impostor", "\n".join(("say(READY)", "take()", *statements)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    return folder


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path / "recording", tone(3))


async def test_a_copy_is_one_file_that_plays(folder: Path, recording: Path) -> None:
    copy = await maker().make(recording, folder)

    assert list(folder.iterdir()) == [copy.file]
    assert abs(copy.duration_seconds - 3) < 0.1
    assert len(copy.peaks) == 600
    with av.open(str(copy.file)) as container:
        assert abs(sum(frame.samples for frame in container.decode(audio=0)) / 24_000 - 3) < 0.1


async def test_the_same_recording_gets_the_same_bytes_and_tag(tmp_path: Path, recording: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for each in folders:
        each.mkdir()

    one, other = [await maker().make(recording, each) for each in folders]

    assert one.tag == other.tag
    assert one.file.read_bytes() == other.file.read_bytes()


async def test_what_is_no_recording_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("sound", encoding="utf-8")

    with pytest.raises(NotAudioError):
        await maker().make(tmp_path / "text", folder)


TOO_LARGE = f"for _ in range(40): {says(Copied(size=2**20, is_head=False).to_line(), 'bytes(2**20)')}"


@pytest.mark.parametrize(
    "statement",
    [
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "sys.exit()",
        "say('no message')",
        "say(ANSWER)",
        says(Copied(size=100, is_head=True).to_line(), "b'half'") + "; sys.exit()",
        'say(\'{"kind": "copy-made", "duration_seconds": 1, "peaks": [999]}\')',
        'say(\'{"kind": "copied", "size": 99999999, "is_head": true}\')',
        TOO_LARGE,
    ],
    ids=["crash", "end", "no message", "other answer", "half a piece", "peak", "size", "too large"],
)
async def test_a_recording_that_takes_its_decoder_over_is_undecodable(
    folder: Path, recording: Path, tmp_path: Path, statement: str
) -> None:
    python = taken_over(tmp_path, statement, "wait()")

    with pytest.raises(UndecodableAudioError, match="decoder crashed or stalled"):
        await maker(python=python).make(recording, folder)


async def test_a_recording_that_stalls_its_decoder_is_undecodable(
    folder: Path, recording: Path, tmp_path: Path
) -> None:
    python = taken_over(tmp_path, "count('pid-' + str(os.getpid()))", "wait()")

    with pytest.raises(UndecodableAudioError, match="decoder crashed or stalled"):
        await maker(python=python, stall_seconds=0.2).make(recording, folder)

    (counter,) = python.parent.glob("python.pid-*")
    assert not Path("/proc", counter.name.rpartition("-")[2]).exists()


async def test_a_decoder_that_only_pretends_to_work_is_ended(
    folder: Path, recording: Path, tmp_path: Path
) -> None:
    python = taken_over(tmp_path, *("while True:", f"    {says(Copied(size=0, is_head=False).to_line())}"))

    with pytest.raises(UndecodableAudioError, match="decoder crashed or stalled"):
        await maker(python=python, max_seconds=1.0).make(recording, folder)


async def test_a_process_that_cannot_be_started_is_the_fault_of_the_service(
    folder: Path, recording: Path, tmp_path: Path
) -> None:
    with pytest.raises(TranscriberUnavailableError):
        await maker(python=tmp_path / "none").make(recording, folder)


async def test_without_room_on_the_disk_the_copy_is_given_up(folder: Path, recording: Path) -> None:
    with pytest.raises(NoRoomError):
        await maker(has_room=False).make(recording, folder)


async def test_the_process_can_write_nowhere_and_has_no_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "opensesame")
    # the reader waits for its recording, so that the process can be looked at
    os.mkfifo(tmp_path / "recording")
    making = asyncio.create_task(maker().make(tmp_path / "recording", folder))
    try:
        (pid,) = await found_processes()
        limits = (pid / "limits").read_text(encoding="ascii")
        status = (pid / "status").read_text(encoding="ascii")
        environment = (pid / "environ").read_bytes()
        network = (pid / "ns" / "net").readlink()
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)

    assert b"opensesame" not in environment
    assert next(line.split()[3:5] for line in limits.splitlines() if "Max file size" in line) == ["0", "0"]
    assert str(2**30) == next(line.split()[3] for line in limits.splitlines() if "Max address space" in line)
    assert "unlimited" not in next(line for line in limits.splitlines() if "Max cpu time" in line)
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    if os.geteuid() == 0:
        assert network != Path("/proc/self/ns/net").readlink()
    assert not pid.exists()


async def found_processes() -> list[Path]:
    """Wait for the children of this process that may write no file and have a budget of processor time."""
    found: list[Path] = []

    def is_there() -> bool:
        for children in Path("/proc/self/task").glob("*/children"):
            for pid in children.read_text(encoding="ascii").split():
                limits = (Path("/proc") / pid / "limits").read_text(encoding="ascii").splitlines()
                lines = [line for line in limits if line.startswith(("Max file size", "Max cpu time"))]
                if lines[0].split()[3] != "unlimited" and lines[1].split()[3] == "0":
                    found.append(Path("/proc") / pid)
        return bool(found)

    await eventually(is_there)
    return found
