import stat
import subprocess
import sys
from pathlib import Path

import pytest

from domain.model.errors import ConfigurationError
from entrypoints.api.spool import UploadLimits, UploadSpool

LIMITS = UploadLimits(max_bytes=1000, max_concurrent=2, idle_seconds=1)

A_PROCESS_THAT_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from entrypoints.api.spool import UploadLimits, UploadSpool
spool = UploadSpool(Path(sys.argv[1]), UploadLimits(1000, 2, 1))
spool.open()
(spool._folder / "upload-1").mkdir()
(spool._folder / "upload-1" / "recording").write_bytes(b"secret")
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


def test_what_a_killed_process_left_is_swept_and_what_lives_is_not(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", A_PROCESS_THAT_IS_KILLED, str(tmp_path / "spool")], check=False
    )
    assert killed.returncode == -9
    assert len(list((tmp_path / "spool").rglob("recording"))) == 1

    first, second = UploadSpool(tmp_path / "spool", LIMITS), UploadSpool(tmp_path / "spool", LIMITS)
    first.open()
    second.open()

    assert list((tmp_path / "spool").rglob("recording")) == []
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
