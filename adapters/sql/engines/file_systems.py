"""Type of the file system of a file: SQLite's locks and shared memory work only on local ones."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

NETWORKED = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fakeowner", "gfs2", "glusterfs", "gpfs", "lustre",
    "nfs", "nfs4", "ocfs2", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
})  # fmt: skip
"""File systems shared with another machine: a server, a cluster, the host of a virtual machine."""


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type, such as `ext4`; None if the kernel does not say (proc(5)). The file need not exist."""
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
    """Tell if locks may fail there; FUSE can be anything, so it counts as networked."""
    return kind is not None and (kind in NETWORKED or kind.partition(".")[0] == "fuse")


def _mount(line: str) -> tuple[Path, str]:
    """Parse mount point and type; spaces and other special characters are octal escapes."""
    before, _, after = line.partition(" - ")
    mount_point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split(" ")[4])
    return Path(mount_point), after.split(" ")[0]
