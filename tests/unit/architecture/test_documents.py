"""Documents name code, tests and files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CRITERIA = {
    1: 10,
    2: 11,
    3: 10,
    4: 10,
    5: 7,
    6: 7,
    7: 7,
    8: 8,
    9: 5,
    10: 7,
    11: 7,
    12: 8,
    13: 7,
    14: 7,
    15: 7,
}
ROW = re.compile(r"^\| (\d+)\.(\d+) \| .+ \| `(.+)` \| `(.+)::(test_\w+)` \|$", re.MULTILINE)


def rows() -> list[tuple[str, ...]]:
    return ROW.findall((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))


def test_every_acceptance_criterion_has_its_place_and_its_test() -> None:
    wanted = [(number, item) for number, count in CRITERIA.items() for item in range(1, count + 1)]

    assert [(int(number), int(item)) for number, item, *_ in rows()] == wanted
    assert len(wanted) == 118


@pytest.mark.parametrize(("code", "file", "test"), [row[2:] for row in rows()])
def test_what_the_requirements_page_names_exists(code: str, file: str, test: str) -> None:
    assert (ROOT / code).exists()
    assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_tests_of_faults_that_the_page_names_exist() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "faults.md").read_text(encoding="utf-8"))
    files = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = {name for text in files for name in re.findall(r"def (test_\w+)\(", text)}

    assert set(named) - defined == set()
    assert named


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=str)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))
