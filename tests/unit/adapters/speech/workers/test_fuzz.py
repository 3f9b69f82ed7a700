"""A short fuzz run of every accepted format; `make fuzz` is the long one."""

from pathlib import Path

import pytest

from chaos.fuzz import fuzz
from chaos.fuzzed_worker import FINDINGS

SEED = 12
"""Fixed, so that a failure repeats; the long run takes a new one each time."""


@pytest.mark.process
@pytest.mark.slow
def test_mutated_headers_are_decoded_or_refused_and_nothing_else(tmp_path: Path) -> None:
    results = dict(fuzz(tmp_path, 20, SEED))

    failed = {name: result for name, result in results.items() if any(result[each] for each in FINDINGS)}
    assert failed == {}
    assert len(results) > 30
