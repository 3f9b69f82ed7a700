"""Check of redaction by the doctor."""

from pathlib import Path

import pytest

from bootstrap import extras
from bootstrap.operator.examination import CheckResult
from bootstrap.operator.redaction import redactor
from tests.support.harness.service import container_for


@pytest.mark.parametrize(("chosen", "told"), [("none", "stays in transcripts"), ("rules", "rules is ready")])
def test_the_redactor_is_named(tmp_path: Path, chosen: str, told: str) -> None:
    (check,) = redactor(container_for(tmp_path / "spool", REDACTOR=chosen))

    assert check.verdict is CheckResult.OK
    assert told in check.found


def test_a_redactor_that_is_not_installed_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    (check,) = redactor(container_for(tmp_path / "spool", REDACTOR="presidio"))

    assert check.verdict is CheckResult.WRONG
    assert "pip install '.[presidio]'" in check.found
