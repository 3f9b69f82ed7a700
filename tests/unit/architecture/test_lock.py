"""Lock on each supported Python and machine: the same versions, and wheels for all packages."""

import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
MACHINES = ("x86_64", "aarch64")

DIFFERENT = {
    "av": "PyAV 19 needs Python 3.12, and closes holes that PyAV 18 has: each Python gets the newest",
}
"""Packages that may have another version on another Python, and why; the gate tests every Python it finds."""

BUILT = {"localstack-client": "only its source is published, which is pure Python, and only tests use it"}
"""Packages that may have no wheel, and why."""

ABSENT = {f"{major}.{minor} aarch64": {"pysqlite3"} for major, minor in PYTHONS}
"""Packages left out without a wheel, and their own dependencies; docs/adr/0021 names the replacement."""


class Target(NamedTuple):
    """Python on a machine; Linux with a C library as old as RHEL 8's."""

    python: tuple[int, int]
    machine: str

    def __str__(self) -> str:
        return f"{self.python[0]}.{self.python[1]} {self.machine}"

    @property
    def environment(self) -> dict[str, str]:
        version = ".".join(map(str, self.python))
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{version}.9",
            "python_version": version,
            "sys_platform": "linux",
        }

    @property
    def tags(self) -> set[Tag]:
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in range(28, 4, -1)]
        older = ("manylinux1", "manylinux2010") if self.machine == "x86_64" else ()
        platforms += [f"{each}_{self.machine}" for each in (*older, "manylinux2014", "linux")]
        name = "cp{}{}".format(*self.python)
        return {
            *cpython_tags(self.python, platforms=platforms),
            *compatible_tags(self.python, name, platforms),
        }


TARGETS = [Target(*target) for target in product(PYTHONS, MACHINES)]
Package = dict[str, Any]


class Lock:
    """Packages of uv.lock, by name."""

    def __init__(self) -> None:
        self._packages: defaultdict[str, list[Package]] = defaultdict(list)
        for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
            self._packages[package["name"]].append(package)

    def installed(self, target: Target) -> dict[str, Package]:
        """Return all packages that `uv sync --all-extras` installs there, without this project."""
        (ours,) = self._packages["batch-transcription"]
        waiting = [*_needs(ours, *ours["optional-dependencies"]), *ours["dev-dependencies"]["dev"]]
        found: dict[str, Package] = {}
        seen: set[tuple[str, ...]] = set()
        while waiting:
            need = waiting.pop()
            key = (need["name"], need.get("version", ""), *need.get("extra", ()))
            if key in seen or not _applies(need, target):
                continue
            seen.add(key)
            package = self._package(need)
            if package is not ours:
                found[package["name"]] = package
            waiting.extend(_needs(package, *need.get("extra", ())))
        return found

    def _package(self, need: Package) -> Package:
        (package,) = (
            each
            for each in self._packages[need["name"]]
            if need.get("version") in (None, each.get("version"))
        )
        return package


def _needs(package: Package, *extras: str) -> Iterator[Package]:
    yield from package.get("dependencies", ())
    for extra in extras:
        yield from package.get("optional-dependencies", {}).get(extra, ())


def _applies(need: Package, target: Target) -> bool:
    return "marker" not in need or _marker(need["marker"]).evaluate({**target.environment, "extra": ""})


@cache
def _marker(text: str) -> Marker:
    return Marker(text)


def _has_wheel(package: Package, tags: set[Tag]) -> bool:
    names = (wheel["url"].rpartition("/")[2] for wheel in package.get("wheels", ()))
    return any(not tags.isdisjoint(parse_wheel_filename(name)[3]) for name in names)


@pytest.fixture(scope="module")
def lock() -> Lock:
    return Lock()


def test_every_python_and_machine_gets_the_same_version_of_a_package(lock: Lock) -> None:
    versions: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for target in TARGETS:
        for name, package in lock.installed(target).items():
            versions[name][package["version"]].append(str(target))

    different = {name: dict(found) for name, found in versions.items() if len(found) > 1}
    assert {name: found for name, found in different.items() if name not in DIFFERENT} == {}
    assert set(DIFFERENT) == set(different), "take out of DIFFERENT what is not different any more"


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_package_has_a_wheel(lock: Lock, target: Target) -> None:
    packages, tags = lock.installed(target), target.tags

    assert len(packages) > 60
    missing = {name for name, package in packages.items() if not _has_wheel(package, tags)}
    assert missing <= set(BUILT), "no wheel: choose another version, or leave it out there with a marker"


def test_a_package_is_left_out_only_where_something_else_serves(lock: Lock) -> None:
    installed = {str(target): set(lock.installed(target)) for target in TARGETS}
    everything = set().union(*installed.values())

    assert {where: everything - names for where, names in installed.items() if everything - names} == ABSENT


@pytest.mark.process
@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("requirements.txt", ("server", "speech", "openai", "celery", "auth", "otel")),
        ("requirements-demo.txt", ("demo",)),
    ],
)
def test_the_requirements_are_those_of_the_lock(file: str, extras: tuple[str, ...]) -> None:
    export = [
        str(ROOT / ".uv/bin/uv"),
        "export",
        "--quiet",
        "--locked",
        "--no-default-groups",
        "--no-emit-project",
    ]
    chosen = [argument for extra in extras for argument in ("--extra", extra)]

    exported = subprocess.run([*export, *chosen], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert without_comments(exported) == without_comments((ROOT / file).read_text(encoding="utf-8"))


def without_comments(requirements: str) -> list[str]:
    return [line for line in requirements.splitlines() if not line.lstrip().startswith("#")]
