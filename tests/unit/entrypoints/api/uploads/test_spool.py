import asyncio
import errno
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from domain.model.errors import ConfigurationError, TranscriberBusyError
from entrypoints.api.problems import StorageFullError
from entrypoints.api.uploads.multipart import WRITE_BYTES
from entrypoints.api.uploads.spool import SMALL_BYTES, UploadLimits, UploadSpool
from tests.support.harness.service import eventually, multipart

LIMITS = UploadLimits(max_bytes=2**23, max_concurrent=2, idle_seconds=1, min_free_bytes=0)

A_PROCESS_THAT_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from entrypoints.api.uploads.spool import UploadLimits, UploadSpool
spool = UploadSpool(Path(sys.argv[1]), UploadLimits(1000, 2, 1, 0))
spool.open()
(folder,) = Path(sys.argv[1]).iterdir()
(folder / "upload-1").write_bytes(b"secret")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_folder_is_private_and_gone_when_it_is_closed(tmp_path: Path) -> None:
    spool = UploadSpool(tmp_path / "spool", LIMITS)

    spool.open()
    (folder,) = (tmp_path / "spool").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    spool.close()

    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.process
def test_what_a_killed_process_left_is_swept_and_what_lives_is_not(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", A_PROCESS_THAT_IS_KILLED, str(tmp_path / "spool")], check=False
    )
    assert killed.returncode == -9
    assert len(list((tmp_path / "spool").rglob("upload-*"))) == 1

    first, second = UploadSpool(tmp_path / "spool", LIMITS), UploadSpool(tmp_path / "spool", LIMITS)
    first.open()
    second.open()

    assert list((tmp_path / "spool").rglob("upload-*")) == []
    assert len(list((tmp_path / "spool").iterdir())) == 2
    first.close()
    second.close()


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)

    with pytest.raises(ConfigurationError, match=r"SPOOL_DIR.*mode 0700"):
        UploadSpool(tmp_path / "spool", LIMITS).open()


def test_a_link_to_somewhere_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigurationError, match="SPOOL_DIR"):
        UploadSpool(tmp_path / "spool", LIMITS).open()


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ConfigurationError, match=r"SPOOL_DIR.*cannot be used"):
        UploadSpool(tmp_path / "file" / "spool", LIMITS).open()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[UploadSpool]:
    spool = UploadSpool(tmp_path / "spool", LIMITS)
    spool.open()
    yield spool
    spool.close()


def upload(*contents: bytes) -> Request:
    """Build a request whose body arrives in these chunks, as one recording."""
    head, _, tail = multipart(b"|").partition(b"|")
    chunks = [head, *contents, tail]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    headers = [(b"content-type", b"multipart/form-data; boundary=xyz")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def has_capacity() -> None:
    """Accept, as a transcriber with a free slot does."""


def left_over(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "spool").rglob("upload-*"))


def test_opening_twice_makes_one_folder(spool: UploadSpool, tmp_path: Path) -> None:
    spool.open()

    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_a_folder_whose_process_died_before_it_was_locked_is_swept(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o700)
    (tmp_path / "spool" / "process-dead").mkdir()

    UploadSpool(tmp_path / "spool", LIMITS).open()

    assert not (tmp_path / "spool" / "process-dead").exists()


def test_a_process_that_starts_at_the_same_moment_sweeps_nothing_that_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = UploadSpool(tmp_path / "spool", LIMITS), UploadSpool(tmp_path / "spool", LIMITS)
    neighbour = threading.Thread(target=second.open)
    make = tempfile.mkdtemp

    def make_while_a_neighbour_starts(**names: str) -> str:
        folder = make(**names)
        monkeypatch.setattr(tempfile, "mkdtemp", make)
        neighbour.start()
        neighbour.join(0.2)
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", make_while_a_neighbour_starts)
    first.open()
    neighbour.join(60)

    assert len(list((tmp_path / "spool").iterdir())) == 2
    first.close()
    second.close()


async def test_a_spool_that_is_not_open_falls_back_to_no_other_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        async with UploadSpool(tmp_path / "spool", LIMITS).receive(upload(b"sound"), has_capacity):
            pass


async def test_a_folder_that_was_tidied_away_is_made_anew(spool: UploadSpool, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "spool")

    async with spool.receive(upload(b"sound"), has_capacity) as upload_:
        assert upload_.recording.read_bytes() == b"sound"
        assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700


async def test_a_disk_without_room_for_a_file_is_full(
    spool: UploadSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)

    with pytest.raises(StorageFullError):
        async with spool.receive(upload(b"sound"), has_capacity):
            pass


async def test_uploads_have_separate_folders_and_unguessable_names(spool: UploadSpool) -> None:
    async with (
        spool.receive(upload(b"one"), has_capacity) as (one, _),
        spool.receive(upload(b"two"), has_capacity) as (two, _),
    ):
        assert (one.read_bytes(), two.read_bytes()) == (b"one", b"two")
        assert len({one.name, two.name}) == 2
        assert list(one.parent.iterdir()) == [one]
        assert list(two.parent.iterdir()) == [two]
        assert min(len(one.name), len(two.name)) >= len("upload-") + 32


async def test_the_folder_of_an_upload_is_kept_for_the_next_one(spool: UploadSpool) -> None:
    async with spool.receive(upload(b"one"), has_capacity) as (one, _):
        pass
    async with spool.receive(upload(b"two"), has_capacity) as (two, _):
        assert two.parent == one.parent
        assert list(two.parent.iterdir()) == [two]


async def test_no_upload_is_put_beside_one_that_could_not_be_removed(
    spool: UploadSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refuse)
        async with spool.receive(upload(b"one"), has_capacity) as (one, _):
            pass
    assert one.exists()
    async with spool.receive(upload(b"two"), has_capacity) as (two, _):
        assert list(two.parent.iterdir()) == [two]


async def test_an_upload_folder_that_was_removed_is_made_again(spool: UploadSpool) -> None:
    async with spool.receive(upload(b"one"), has_capacity) as (one, _):
        pass
    one.parent.rmdir()
    async with spool.receive(upload(b"two"), has_capacity) as (two, _):
        assert two.read_bytes() == b"two"


async def test_below_the_floor_of_free_space_nothing_is_received(tmp_path: Path) -> None:
    spool = UploadSpool(tmp_path / "spool", replace(LIMITS, min_free_bytes=2**62))
    spool.open()

    async def receive() -> dict[str, object]:
        raise AssertionError("the body was asked for")

    with pytest.raises(StorageFullError):
        async with spool.receive(Request(upload().scope, receive), has_capacity):
            pass

    assert left_over(tmp_path) == []
    spool.close()


async def test_an_upload_ends_when_the_last_slot_is_taken_meanwhile(
    spool: UploadSpool, tmp_path: Path
) -> None:
    written: list[int] = []

    def two_writes_later() -> None:
        written.append(1)
        if len(written) > 2:
            raise TranscriberBusyError("All slots are taken.", retry_after_seconds=7)

    with pytest.raises(TranscriberBusyError):
        async with spool.receive(upload(*[b"x" * WRITE_BYTES] * 5), two_writes_later):
            pass

    assert len(written) == 3
    assert left_over(tmp_path) == []


async def test_a_caller_who_leaves_while_the_file_is_to_be_removed_does_not_leave_it_behind(
    spool: UploadSpool, tmp_path: Path
) -> None:
    received, thread_is_free = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))

    async def receive() -> None:
        async with spool.receive(upload(bytes(SMALL_BYTES + 1)), has_capacity):
            loop.run_in_executor(None, thread_is_free.wait, 10)  # the removal has to wait for its thread
            received.set()

    receiving = asyncio.create_task(receive())
    await received.wait()
    receiving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    thread_is_free.set()

    await eventually(lambda: not left_over(tmp_path))
