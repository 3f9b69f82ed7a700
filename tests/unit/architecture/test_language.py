"""Plain English in code and documents: docstrings that start well, and words that readers know.

The first sentence of a docstring has an imperative verb or a named subject. Names that were replaced by the
field's words, and pronouns that hide who acts, must not come back.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
PRODUCT = ("domain", "ports", "adapters", "bootstrap", "entrypoints")
PLACES = (*PRODUCT, "tests", "benchmarks", "chaos", "docs", "deploy", "README.md")
SUFFIXES = {".py", ".md", ".ts", ".yaml", ".service"}

NAME_IT = "name the thing: 'Settings of …', 'Events that …'"
SAY_WHEN = "an imperative verb: 'Return true if …', 'Check that …'"
START_WITH_THE_SUBJECT = "start with the subject or the verb, and move the rest behind it"
FIRST_WORDS = {
    **dict.fromkeys(("What", "Who", "Whose", "Everything"), NAME_IT),
    "Whether": SAY_WHEN,
    **dict.fromkeys(
        ("How", "Where", "When", "Why", "It", "They", "That", "So", "These", "This"), START_WITH_THE_SUBJECT
    ),
}
"""Words that begin no docstring of the product, and what begins it instead."""

with (ROOT / "pyproject.toml").open("rb") as file:
    WORDS: dict[str, str] = tomllib.load(file)["tool"]["plain-english"]["words"]
"""Words that stand nowhere, and what stands there instead: in pyproject.toml, which no rule searches."""

OLD_MESSAGES = "\n## Changed log messages\n"
"""Heading of the last section of docs/operations.md, which quotes replaced messages."""

FORBIDDEN = re.compile(rf"\b({'|'.join(map(re.escape, WORDS))})\b", re.IGNORECASE)
FIRST_WORD = re.compile(r"[A-Za-z]+")

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """A word in a line, and advice what to write instead."""

    line: int
    word: str
    advice: str


def documented(tree: ast.Module) -> Iterator[Documented]:
    """Modules, classes and functions."""
    return (node for node in ast.walk(tree) if isinstance(node, Documented))


def first_words(source: str) -> Iterator[Finding]:
    """Find docstrings that begin with a word of FIRST_WORDS."""
    for node in documented(ast.parse(source)):
        match = FIRST_WORD.match(ast.get_docstring(node) or "")
        if match and match[0] in FIRST_WORDS:
            yield Finding(node.body[0].lineno, match[0], FIRST_WORDS[match[0]])


def forbidden_words(text: str) -> Iterator[Finding]:
    """Find words of WORDS in the lines of a text, up to a list of old messages."""
    for number, line in enumerate(text.split(OLD_MESSAGES, maxsplit=1)[0].splitlines(), start=1):
        for match in FORBIDDEN.finditer(line):
            yield Finding(number, match[0], WORDS[match[0].lower()])


def files_of(place: str) -> list[Path]:
    path = ROOT / place
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in files if file.suffix in SUFFIXES]


def report(path: Path, findings: Iterator[Finding]) -> Iterator[str]:
    for line, word, advice in findings:
        yield f"{path.relative_to(ROOT)}:{line}: {word!r}; instead: {advice}"


def explain(findings: list[str]) -> str:
    return "\n".join([f"{len(findings)} passages to rewrite", *findings])


@pytest.mark.parametrize("package", PRODUCT)
def test_docstrings_begin_with_a_verb_or_a_named_subject(package: str) -> None:
    findings = [
        line
        for path in sorted((ROOT / package).rglob("*.py"))
        for line in report(path, first_words(path.read_text(encoding="utf-8")))
    ]

    assert not findings, explain(findings)


@pytest.mark.parametrize("place", PLACES)
def test_words_that_readers_do_not_know_stand_nowhere(place: str) -> None:
    files = files_of(place)
    findings = [
        line for path in files for line in report(path, forbidden_words(path.read_text(encoding="utf-8")))
    ]

    assert files, "a rule over nothing holds nothing"
    assert not findings, explain(findings)


@pytest.mark.parametrize(
    ("source", "word", "line"),
    [
        ('"""What is counted."""', "What", 1),
        ('class _Lease:\n    """Whose turn it is."""', "Whose", 2),
        ('def _expired() -> bool:\n    """Whether the lease ran out."""', "Whether", 2),
        ('async def send() -> None:\n    """It sends."""', "It", 2),
        ('class Lease:\n    def renew(self) -> None:\n        """So that it lives."""', "So", 3),
    ],
)
def test_the_checker_finds_a_docstring_that_begins_badly(source: str, word: str, line: int) -> None:
    assert list(first_words(source)) == [Finding(line, word, FIRST_WORDS[word])]


@pytest.mark.parametrize(
    "source",
    [
        '"""Whatsoever."""',  # another word
        '"""Settings of the service: what it reads at the start."""',
        'def expired() -> bool:\n    """Return true if the lease ran out."""',
        'def expired() -> bool:\n    return "What" == "Who"',
    ],
)
def test_the_checker_passes_a_docstring_that_begins_well(source: str) -> None:
    assert list(first_words(source)) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *((f"a {word} here", word) for word in WORDS),
    ],
)
def test_the_checker_finds_a_forbidden_word(text: str, word: str) -> None:
    assert next(forbidden_words(f"first line\n{text}")) == Finding(2, word, WORDS[word.lower()])


@pytest.mark.parametrize(
    "text",
    [
        "housekeeper",
        "def test_whatever_the_bus_does()",
        "hand in",
        "screw",
        "in the hand",
        f"{OLD_MESSAGES}| {next(iter(WORDS))} | the caller |",
    ],
)
def test_the_checker_passes_other_words(text: str) -> None:
    assert list(forbidden_words(text)) == []
