"""Mutants of `make mutants` apply to the code, and name tests that exist."""

from pathlib import Path

import pytest

from chaos.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[3]
SUITES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "contracts").rglob("*.py"))
"""Test files inherit tests from these."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_replaces_one_passage_of_its_file(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_a_mutant_turns_red_exist(mutant: Mutant) -> None:
    for test in mutant.tests:
        file, *names = test.split("::")
        text = (ROOT / file).read_text(encoding="utf-8") + SUITES
        assert all(name in text for name in names), test
