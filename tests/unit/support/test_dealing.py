"""Order of tests for several processes."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.harness.dealing import LONG, TESTS, dealt


def some_of(path: Path, count: int, *, marker: str | None = None) -> Iterator[Any]:
    for number in range(count):
        yield SimpleNamespace(path=path, number=number, get_closest_marker=lambda name: name == marker)


FAULTS, BROKERS = LONG[0] / "test_one.py", LONG[1] / "brokers" / "test_two.py"
COMMANDS, QUICK, OTHER = (TESTS / "unit" / name for name in ("test_three.py", "test_four.py", "test_five.py"))
ITEMS = [
    *some_of(FAULTS, 2),
    *some_of(BROKERS, 1),
    *some_of(COMMANDS, 2, marker="process"),
    *some_of(QUICK, 6),
    *some_of(OTHER, 3),
]


@pytest.mark.parametrize("processes", [1, 2, 3, 50])
def test_every_test_is_run_once_and_files_stay_whole(processes: int) -> None:
    order = dealt(ITEMS, processes)

    assert sorted(map(id, order)) == sorted(map(id, ITEMS))
    changes = sum(before.path != after.path for before, after in pairwise(order))
    assert changes == 4, "five files, one after the other"


def test_each_process_begins_with_a_long_file_and_has_as_many_tests_as_the_others() -> None:
    first, second = dealt(ITEMS, 2)[:7], dealt(ITEMS, 2)[7:]

    assert {first[0].path, second[0].path} == {FAULTS, BROKERS}
    assert {each.path for each in first} == {FAULTS, COMMANDS, OTHER}
