"""Detection of the file system of a database, and refusal of networked ones."""

from pathlib import Path

import pytest

from adapters.sql.engines.factory import engine_for
from adapters.sql.engines.file_systems import file_system_of, is_networked
from domain.model.errors import ConfigurationError

MOUNTS = """\
21 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
28 27 0:30 / /srv rw,relatime shared:7 master:1 - nfs4 server:/export rw,vers=4.2
29 28 0:31 / /srv/local\\040disk rw,relatime - xfs /dev/vdb rw
30 27 0:32 / /data rw,relatime - ext4 /dev/vdc rw
31 27 0:33 / /data rw,relatime - fuse.sshfs me@host: rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/transcripts.db", "ext4"),
        ("/srv/transcripts.db", "nfs4"),
        ("/srv/var/deep/transcripts.db", "nfs4"),
        ("/srvx/transcripts.db", "ext4"),
        ("/srv/local disk/transcripts.db", "xfs"),
        ("/data/transcripts.db", "fuse.sshfs"),
    ],
)
def test_the_deepest_mount_and_of_two_at_one_place_the_last_one_counts(
    mounts: Path, path: str, kind: str
) -> None:
    assert file_system_of(Path(path), mounts) == kind


def test_a_link_leads_to_where_the_file_really_is(mounts: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/srv")

    assert file_system_of(tmp_path / "link/transcripts.db", mounts) == "nfs4"


def test_without_the_kernels_list_the_type_is_unknown(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, tmp_path / "no such file") is None


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "fuse.sshfs", "virtiofs"])
def test_a_network_file_system_is_refused_before_the_file_is_created(tmp_path: Path, kind: str) -> None:
    url = f"sqlite:///{tmp_path}/var/transcripts.db"

    with pytest.raises(
        ConfigurationError, match=rf"^DATABASE_URL: .*transcripts.db is on .* type {kind}, "
    ) as told:
        engine_for(url, file_system_of=lambda _: kind)

    assert "PostgreSQL" in str(told.value)
    assert "DATABASE_ALLOW_NETWORK_FILE_SYSTEM=true" in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_a_networked_file_system_may_be_allowed(tmp_path: Path) -> None:
    engine = engine_for(f"sqlite:///{tmp_path}/a.db", on_network=True, file_system_of=lambda _: "nfs4")

    engine.connect().close()
    engine.dispose()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuseblk", None])
def test_a_disk_of_this_machine_is_fine(tmp_path: Path, kind: str | None) -> None:
    engine_for(f"sqlite:///{tmp_path}/a.db", file_system_of=lambda _: kind).dispose()


def test_the_file_system_of_this_machine_is_recognised(tmp_path: Path) -> None:
    kind = file_system_of(tmp_path / "transcripts.db")

    assert kind
    assert not is_networked(kind), "these tests need a disk of this machine"


def test_the_file_system_is_not_looked_up_for_postgresql() -> None:
    def look(_: Path) -> str:
        raise AssertionError("nothing to look at")

    engine_for("postgresql+psycopg://me@localhost/name", file_system_of=look).dispose()
