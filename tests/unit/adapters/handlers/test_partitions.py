import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from adapters.handlers.partitions import LEFT_OVER_AFTER_SECONDS, PartitionedWriter
from domain.model.errors import ConfigurationError, HandlerError
from domain.model.events.event import BatchProcessingCompleted
from tests.support.harness.warehouses import files, place_of, unfinished
from tests.support.samples.factories import an_event


def prepared(root: Path) -> PartitionedWriter:
    folder = PartitionedWriter(root)
    folder.prepare()
    return folder


def failure_of(folder: PartitionedWriter, event: BatchProcessingCompleted, content: bytes = b"x") -> str:
    with pytest.raises(HandlerError) as failure:
        folder.write(event, "txt", content)
    return str(failure.value)


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Limit the size of files, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def failing_at(number: int, call: Callable[..., None], error: int) -> Callable[..., None]:
    """Return the call, failing once at its `number`-th use."""
    count = 0

    def sometimes(*arguments: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise OSError(error, os.strerror(error))
        call(*arguments)

    return sometimes


def test_the_day_is_the_events_in_utc(tmp_path: Path) -> None:
    berlin = timezone(timedelta(hours=1))
    event = an_event(timestamp=datetime(2026, 1, 1, 0, 30, tzinfo=berlin))

    prepared(tmp_path).write(event, "txt", b"x")

    tenant, day, interaction = event.tenant_id, "2025-12-31", event.interaction_id
    assert files(tmp_path) == [f"tenant_id={tenant}/day={day}/{interaction}.txt"]
    assert event.timestamp.tzinfo == UTC


def test_only_owner_and_group_may_read(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        prepared(tmp_path / "warehouse").write(an_event(), "txt", b"x")
    finally:
        os.umask(mask)

    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {True: 0o750, False: 0o640}


def test_a_file_is_durable_before_it_has_its_name_and_its_name_before_we_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepared(tmp_path)
    event = an_event()
    steps: list[str] = []
    synchronise, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        steps.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        synchronise(descriptor)

    def note_replace(path: Path, target: Path) -> None:
        steps.append(f"-> {target}")
        replace(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    folder.write(event, "txt", b"x")

    target = tmp_path / place_of(event, "txt")
    assert Path(steps[0]).parent == tmp_path / ".unfinished"
    assert steps[1:] == [f"-> {target}", *map(str, (target.parent, target.parent.parent, tmp_path))]


def test_the_folder_itself_is_durable_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synchronised: list[Path] = []
    synchronise = os.fsync

    def note(descriptor: int) -> None:
        synchronised.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    prepared(tmp_path / "new" / "warehouse")

    assert set(synchronised) >= {tmp_path, tmp_path / "new", tmp_path / "new" / "warehouse"}


@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_told_and_leaves_nothing_by_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: int
) -> None:
    folder = prepared(tmp_path)
    event = an_event()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing_at(number, os.fsync, error))
        assert os.strerror(error) in failure_of(folder, event, b"whole")

    assert [(tmp_path / file).read_bytes() for file in files(tmp_path)] in ([], [b"whole"])
    assert unfinished(tmp_path) == []
    folder.write(event, "txt", b"whole")
    assert files(tmp_path) == [place_of(event, "txt")]


def test_a_full_disk_is_told_and_space_that_comes_back_is_used(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    event = an_event()

    with files_limited_to(100_000):
        assert "File too large" in failure_of(folder, event, b"x" * 300_000)

    assert (files(tmp_path), unfinished(tmp_path)) == ([], [])
    folder.write(event, "txt", b"x" * 300_000)
    assert files(tmp_path) == [place_of(event, "txt")]


def test_a_failed_repeat_leaves_the_file_of_the_first_time(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    event = an_event()
    folder.write(event, "txt", b"first")

    with files_limited_to(0):
        failure_of(folder, event, b"second")

    assert (tmp_path / place_of(event, "txt")).read_bytes() == b"first"


def test_a_partition_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    event, next_one = an_event(), an_event()
    folder.write(event, "txt", b"x")
    next_one = event.model_copy(update={"interaction_id": next_one.interaction_id})
    (tmp_path / f"tenant_id={event.tenant_id}").rename(tmp_path / ".loaded")

    folder.write(next_one, "txt", b"x")

    assert files(tmp_path) == [place_of(next_one, "txt")]


def test_a_folder_that_vanished_is_not_made_again_somewhere_else(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "mounted")
    (tmp_path / "mounted").rename(tmp_path / "away")

    assert "No such file or directory" in failure_of(folder, an_event())
    assert not (tmp_path / "mounted").exists()


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "warehouse")
    (tmp_path / "elsewhere").mkdir()
    event = an_event()
    (tmp_path / "warehouse" / f"tenant_id={event.tenant_id}").symlink_to(tmp_path / "elsewhere")

    assert "leads out of" in failure_of(folder, event)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "warehouse").symlink_to(tmp_path / "volume")
    event = an_event()

    prepared(tmp_path / "warehouse").write(event, "txt", b"x")

    assert files(tmp_path / "volume") == [place_of(event, "txt")]


def test_what_a_killed_process_left_is_swept_at_the_start_and_what_another_one_writes_is_not(
    tmp_path: Path,
) -> None:
    prepared(tmp_path)
    long_ago = time.time() - LEFT_OVER_AFTER_SECONDS - 1
    for name in ("left", "fresh"):
        (tmp_path / ".unfinished" / name).touch()
    os.utime(tmp_path / ".unfinished" / "left", (long_ago, long_ago))

    prepared(tmp_path)

    assert unfinished(tmp_path) == ["fresh"]


@pytest.mark.parametrize("spoil", ["a file", "a file in the way"])
def test_a_folder_that_cannot_be_written_to_stops_the_start(tmp_path: Path, spoil: str) -> None:
    root = tmp_path / "warehouse"
    if spoil == "a file":
        root.touch()
    else:
        root.mkdir()
        (root / ".unfinished").touch()

    with pytest.raises(ConfigurationError, match=r"--to '.*warehouse' cannot be written to"):
        PartitionedWriter(root).prepare()


WRITER = """
import sys
from pathlib import Path
from adapters.handlers.partitions import PartitionedWriter
from tests.support.samples.factories import an_event

folder = PartitionedWriter(Path(sys.argv[1]))
folder.prepare()
print("ready", flush=True)
while True:
    event = an_event()
    folder.write(event, "txt", b"x" * 2_000_000)
    print(event.interaction_id, flush=True)
"""


@pytest.mark.process
def test_a_process_that_is_killed_leaves_whole_files_and_every_one_it_promised(tmp_path: Path) -> None:
    promised: list[str] = []
    for after in range(1, 6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        lines = [writer.stdout.readline().strip() for _ in range(1 + after)]
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].splitlines()
        promised += lines[1:] + rest

    found = {Path(file).stem: (tmp_path / file).stat().st_size for file in files(tmp_path)}
    assert set(promised) <= set(found)
    assert set(found.values()) == {2_000_000}
