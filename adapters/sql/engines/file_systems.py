"""Which file system a file is on: SQLite's locks and its shared memory hold only on those of this machine."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

NETWORKED = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fakeowner", "gfs2", "glusterfs", "gpfs", "lustre",
    "nfs", "nfs4", "ocfs2", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
})  # fmt: skip
"""Another machine has a hand in them: a server, a cluster, a host that shares a folder with its guest."""


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Its type, such as `ext4`; the file need not exist. None where the kernel does not tell (proc(5))."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place, found, deepest = path.resolve(), None, -1
    for line in lines:
        mount_point, kind = _mount(line)
        if place.is_relative_to(mount_point) and len(mount_point.parts) >= deepest:  # the last one is on top
            found, deepest = kind, len(mount_point.parts)
    return found


def is_networked(kind: str | None) -> bool:
    """Whether locks may not hold there; FUSE can be anything, so it is not relied on."""
    return kind is not None and (kind in NETWORKED or kind.partition(".")[0] == "fuse")


def _mount(line: str) -> tuple[Path, str]:
    """Where it is, and its type; spaces and the like are written as octal numbers."""
    before, _, after = line.partition(" - ")
    mount_point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split(" ")[4])
    return Path(mount_point), after.split(" ")[0]
