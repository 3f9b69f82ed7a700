"""Capacity of this machine or container: the number of recordings that it can transcribe concurrently.

A container sees all cores and all memory of its host; its control groups limit what it may use of them
(kernel documentation: admin-guide/cgroup-v2.rst and cgroup-v1/).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MIB = 2**20
SERVICE_BYTES = 256 * MIB
"""Memory of the service itself, with uploads in flight."""
WORKER_BYTES = 512 * MIB
"""Memory of a process that recognises with `tiny.en` and one that decodes, measured and rounded up."""


class Capacity(NamedTuple):
    """Processors and memory that this process may use."""

    cores: float  # number of processors; a fraction under a quota
    memory_bytes: int  # memory of this machine, or the limit of a control group

    @property
    def workers(self) -> int:
        """Number of workers: one for each whole core that memory suffices for; at least one."""
        return max(1, min(int(self.cores), (self.memory_bytes - SERVICE_BYTES) // WORKER_BYTES))


def worker_count() -> int:
    """Return the number of workers that processors, quotas and memory allow."""
    return capacity().workers


def capacity(proc: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> Capacity:
    """Read the limits of this process and its control groups; a limit that cannot be read does not count."""
    cores = float(len(os.sched_getaffinity(0)))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for folder in _groups(proc, mount):
        cores = min(cores, *_quotas(folder))
        memory = min(memory, *_memory_limits(folder))
    return Capacity(cores, memory)


def _groups(proc: Path, mount: Path) -> Iterator[Path]:
    """Yield the folders of this process's groups and of their parents: the narrowest limit counts.

    In a container the path is often the host's, and the group itself is mounted as the root.
    """
    with suppress(OSError):
        for line in proc.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):  # empty in version 2; links lead to `cpu,cpuacct` in 1
                root = mount / controller
                inner = root / path.lstrip("/")
                yield from (inner, *(each for each in inner.parents if each.is_relative_to(root)))


def _quotas(folder: Path) -> Iterator[float]:
    yield float("inf")
    match _numbers(folder / "cpu.max"):  # version 2: "QUOTA PERIOD", in microseconds
        case [quota, period] if period:
            yield quota / period
    match _numbers(folder / "cpu.cfs_quota_us"), _numbers(folder / "cpu.cfs_period_us"):
        case [quota], [period] if quota > 0 and period:  # version 1: -1 for none
            yield quota / period


def _memory_limits(folder: Path) -> Iterator[int]:
    yield from (2**63, *_numbers(folder / "memory.max"), *_numbers(folder / "memory.limit_in_bytes"))


def _numbers(file: Path) -> list[int]:
    """Read the numbers in a file; none where it is missing, or contains `max`."""
    with suppress(OSError, ValueError):
        return [int(word) for word in file.read_text(encoding="ascii").split()]
    return []
