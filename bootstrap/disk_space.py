"""Free space on the disks that recordings and their events are written to."""

import os
from pathlib import Path


def existing_parent(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists: the start of the service creates the rest."""
    place = folder.absolute()
    return next(each for each in (place, *place.parents) if each.exists())


def free_bytes(folder: Path) -> int:
    """Return the bytes that an unprivileged user may still write to the folder's disk."""
    return _free_bytes(_disk_of(folder))


def shortage(folder: Path, floor: int) -> str | None:
    """Return what the folder's disk lacks for another file; None if it has `floor` bytes and an inode."""
    disk = _disk_of(folder)
    if _free_bytes(disk) < floor:
        return f"less than MIN_FREE_BYTES ({floor})"
    if disk.f_files and not disk.f_favail:  # some file systems do not count files, and report 0
        return "no inode for another file"
    return None


def _disk_of(folder: Path) -> os.statvfs_result:
    try:
        return os.statvfs(folder)
    except (FileNotFoundError, NotADirectoryError):
        return os.statvfs(existing_parent(folder))


def _free_bytes(disk: os.statvfs_result) -> int:
    return disk.f_bavail * disk.f_frsize
