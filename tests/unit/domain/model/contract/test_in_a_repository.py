"""Tests of the contract fail for a commit that changes models and documents, but not the version."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.samples.contract_history import GOLDEN, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.process]

TEST = "tests/unit/domain/model/contract/test_history.py"
GENERATE = """
from pathlib import Path
from domain.model.contract.documents import contract_files
from domain.model.route.route import DEFAULT_ROUTES
for name, text in contract_files(DEFAULT_ROUTES).items():
    Path("docs/events", name).write_text(text, encoding="utf-8", newline="")
"""
MODELS = "domain/model/events/event.py"
STATUS = 'Literal["completed"]'
SPEAKER = 'data: TranscriptData\n    language: str | None = Field(default=None, description="Of the speech.")'


class Checkout:
    """A repository of its own with our models, documents and the tests of the contract."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("domain", "docs/events", str(GOLDEN)):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("tests/__init__.py", "tests/support/samples/contract_history.py", TEST):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
        self.git("init", "--quiet")
        self.commit("The contract as it is")

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", message)

    def change(self, *replacements: tuple[str, str]) -> None:
        """Change the models and write the documents anew, the frozen ones included."""
        models = (self.folder / MODELS).read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in models
            models = models.replace(old, new)
        (self.folder / MODELS).write_text(models, encoding="utf-8")
        self.python("-c", GENERATE)
        for version in ("1.0", "1.1", "2.0"):
            schema = self.folder / f"docs/events/batch-processing-completed-{version}.schema.json"
            if schema.exists():
                shutil.copy(
                    schema, self.folder / GOLDEN / f"batch_processing_completed.v{version}.schema.json"
                )

    def test(self) -> "subprocess.CompletedProcess[str]":
        return self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", TEST, check=False)

    def python(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=check, capture_output=True, text=True
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_nothing_changed_is_fine(checkout: Checkout) -> None:
    assert checkout.test().returncode == 0


def test_words_and_a_minor_version_with_an_optional_key_are_fine(checkout: Checkout) -> None:
    checkout.change(('description="The user who uploaded the recording."', 'description="The uploader."'))
    checkout.commit("Other words")
    assert checkout.test().returncode == 0

    checkout.change(
        ('"1.0"', '"1.1"'),
        ("data: TranscriptData\n", SPEAKER + "\n"),
    )
    checkout.commit("A new optional key, and a new minor version")

    result = checkout.test()
    assert result.returncode == 0, result.stdout


def in_one_commit(checkout: Checkout) -> None:
    checkout.change((STATUS, 'Literal["completed", "partial"]'))
    checkout.commit("Everything at once")


def before_it_is_committed(checkout: Checkout) -> None:
    checkout.change((STATUS, 'Literal["completed", "partial"]'))


def hidden_behind_a_harmless_commit(checkout: Checkout) -> None:
    in_one_commit(checkout)
    checkout.change(('description="The user who uploaded the recording."', 'description="The uploader."'))
    checkout.commit("Other words")


def as_a_minor_version(checkout: Checkout) -> None:
    checkout.change(('"1.0"', '"1.1"'), (STATUS, 'Literal["completed", "partial"]'))
    checkout.commit("It is only a minor version")


@pytest.mark.parametrize(
    "breaking",
    [in_one_commit, before_it_is_committed, hidden_behind_a_harmless_commit, as_a_minor_version],
)
def test_a_breaking_change_without_a_major_version_is_red_however_it_is_committed(
    checkout: Checkout, breaking: Callable[[Checkout], None]
) -> None:
    breaking(checkout)

    result = checkout.test()

    assert result.returncode == 1, result.stdout + result.stderr
    assert "test_the_models_keep_to_every_schema_that_was_ever_committed" in result.stdout
    assert "MAJOR /properties/status" in result.stdout


def test_a_new_key_without_a_new_version_is_red_too(checkout: Checkout) -> None:
    checkout.change(("data: TranscriptData\n", SPEAKER + "\n"))
    checkout.commit("A key without a version")

    result = checkout.test()

    assert result.returncode == 1, result.stdout + result.stderr
    assert "MINOR /properties/language" in result.stdout


def test_a_repository_without_a_commit_is_no_obstacle(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".git")
    checkout.git("init", "--quiet")

    assert checkout.test().returncode == 0


def test_without_history_the_frozen_schemas_hold(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".git")
    assert checkout.test().returncode == 0
    models = checkout.folder / MODELS
    models.write_text(
        models.read_text(encoding="utf-8").replace(STATUS, 'Literal["completed", "partial"]'),
        encoding="utf-8",
    )

    result = checkout.test()

    assert result.returncode == 1
    assert "test_the_models_keep_to_every_schema_that_was_frozen" in result.stdout
