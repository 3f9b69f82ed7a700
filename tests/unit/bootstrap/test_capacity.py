"""Number of workers by the limits in the kernel's files."""

import os
from pathlib import Path

import pytest

from bootstrap.capacity import MIB, Capacity, capacity

GIB = 1024 * MIB
UNLIMITED_MEMORY_V1 = "9223372036854771712"


@pytest.fixture(autouse=True)
def _a_machine_of_eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}.__getitem__)


def allowed(folder: Path, groups: str, **files: str) -> Capacity:
    """Write files named by their path, with `__` for a slash and `_DOT_` for a dot."""
    for name, content in files.items():
        path = folder / "sys" / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n", encoding="ascii")
    (folder / "cgroup").write_text(groups, encoding="ascii")
    return capacity(folder / "cgroup", folder / "sys")


def test_without_control_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    assert capacity(tmp_path / "none", tmp_path) == Capacity(8, 16 * GIB)


def test_the_limits_of_version_2_are_followed(tmp_path: Path) -> None:
    found = allowed(tmp_path, "0::/\n", cpu_DOT_max="250000 100000", memory_DOT_max=str(GIB))

    assert found == Capacity(2.5, GIB)


def test_a_group_without_limits_has_those_of_the_groups_above(tmp_path: Path) -> None:
    found = allowed(
        tmp_path,
        "0::/pods/one\n",
        pods__one__cpu_DOT_max="max 100000",
        pods__one__memory_DOT_max="max",
        pods__cpu_DOT_max="400000 100000",
        memory_DOT_max=str(2 * GIB),
    )

    assert found == Capacity(4, 2 * GIB)


def test_the_limits_of_version_1_are_followed(tmp_path: Path) -> None:
    found = allowed(
        tmp_path,
        "4:cpu,cpuacct:/docker/x\n9:memory:/docker/x\n1:name=systemd:/\n",
        cpu__docker__x__cpu_DOT_cfs_quota_us="150000",
        cpu__docker__x__cpu_DOT_cfs_period_us="100000",
        memory__docker__x__memory_DOT_limit_in_bytes=str(GIB),
    )

    assert found == Capacity(1.5, GIB)


def test_the_controllers_of_version_1_may_be_named_in_another_order(tmp_path: Path) -> None:
    found = allowed(
        tmp_path,
        "4:cpuacct,cpu:/x\n",
        cpu__x__cpu_DOT_cfs_quota_us="50000",
        cpu__x__cpu_DOT_cfs_period_us="100000",
    )

    assert found.cores == 0.5


def test_a_container_finds_its_group_mounted_as_the_root(tmp_path: Path) -> None:
    found = allowed(
        tmp_path,
        "4:cpu:/docker/of-the-host\n",
        cpu__cpu_DOT_cfs_quota_us="300000",
        cpu__cpu_DOT_cfs_period_us="100000",
    )

    assert found.cores == 3


def test_no_limit_of_version_1_is_none(tmp_path: Path) -> None:
    found = allowed(
        tmp_path,
        "4:cpu:/\n9:memory:/\n",
        cpu__cpu_DOT_cfs_quota_us="-1",
        cpu__cpu_DOT_cfs_period_us="100000",
        memory__memory_DOT_limit_in_bytes=UNLIMITED_MEMORY_V1,
    )

    assert found == Capacity(8, 16 * GIB)


@pytest.mark.parametrize("nonsense", ["", "max", "0 0", "many 100000", "1 2 3"])
def test_what_cannot_be_read_limits_nothing(tmp_path: Path, nonsense: str) -> None:
    assert allowed(tmp_path, "0::/\n", cpu_DOT_max=nonsense, memory_DOT_max=nonsense or "x").cores == 8


@pytest.mark.parametrize(
    ("cores", "memory", "workers"),
    [(8, 16 * GIB, 8), (0.5, 16 * GIB, 1), (2.9, 16 * GIB, 2), (8, 2 * GIB, 3), (8, 100 * MIB, 1)],
)
def test_each_worker_has_a_core_and_memory_of_its_own(cores: float, memory: int, workers: int) -> None:
    assert Capacity(cores, memory).workers == workers
