"""Order of the tests of several processes: each begins with its share of the files that take long."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
LONG = (TESTS / "integration", TESTS / "system")


def dealt(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """Deal whole files out to the processes, the long ones first, and the others to the shortest share.

    pytest-xdist gives each process one stretch of the list, and lets an idle one take from the end of
    another's: the long files, which lie side by side, would all be the first process's, and end last.
    """
    files: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    long = [path for path, found in files.items() if _takes_long(path, found)]
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for number, path in enumerate(long):
        shares[number % processes] += files.pop(path)
    for found in files.values():
        min(shares, key=len).extend(found)
    return [item for share in shares for item in share]


def _takes_long(path: Path, items: Sequence[pytest.Item]) -> bool:
    """Tell files of long tests: those that need more than this process, or wait."""
    return any(path.is_relative_to(folder) for folder in LONG) or any(
        item.get_closest_marker(name) for item in items for name in ("process", "slow")
    )
