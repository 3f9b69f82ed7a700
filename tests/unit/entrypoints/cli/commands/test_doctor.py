"""`transcripts doctor`: what it says, and its exit codes."""

import json
from pathlib import Path

import pytest

from bootstrap.container import Container
from bootstrap.operator.doctor import Check, CheckResult
from entrypoints.cli.main import main
from tests.support.doubles.stub_bus import StubBus

FINE = Check("python", CheckResult.OK, "3.11.7")
OLD = Check("ffmpeg", CheckResult.WARNING, "8.1.2: holes", "update it")
BROKEN = Check("rule", CheckResult.WRONG, "the rule is disabled", "enable it")


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    return int(ended.value.code or 0)


def _finding(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    def examine(container: Container) -> tuple[Check, ...]:
        assert container.settings().rule_name == "capture-transcripts-rule"
        return checks

    monkeypatch.setattr("bootstrap.operator.doctor.examine", examine)


@pytest.mark.parametrize(
    ("checks", "code"), [((FINE,), 0), ((FINE, OLD), 0), ((FINE, OLD, BROKEN), 1), ((BROKEN, FINE), 1)]
)
def test_only_what_is_wrong_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, checks: tuple[Check, ...], code: int
) -> None:
    _finding(monkeypatch, *checks)

    assert _run() == code
    assert _run("--json") == code


def test_people_get_a_line_a_check_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _finding(monkeypatch, FINE, OLD)
    _run()

    assert capsys.readouterr().out.splitlines() == [
        "OK      python             3.11.7",
        "WARNING ffmpeg             8.1.2: holes",
        "        do: update it",
    ]


def test_machines_get_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _finding(monkeypatch, FINE, BROKEN)
    _run("--json")

    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "checks": [
            {"name": "python", "verdict": "ok", "found": "3.11.7", "remedy": ""},
            {"name": "rule", "verdict": "wrong", "found": "the rule is disabled", "remedy": "enable it"},
        ],
    }


def test_text_from_outside_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _finding(monkeypatch, BROKEN._replace(found="\x1b[2J\u202e[red]evil", remedy="\x07[bold]x"))
    _run()

    out = capsys.readouterr().out
    assert "\\x1b[2J\\u202e[red]evil" in out
    assert "\\x07[bold]x" in out
    assert not {"\x1b", "\u202e", "\x07"} & set(out)


def test_the_real_doctor_prints_no_secret_when_the_bus_denies_access(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret = "hunter2-hunter2-hunter2"
    with StubBus() as bus:
        environ = {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": bus.url,
            "DATABASE_URL": f"sqlite:///{tmp_path}/transcripts.db",
            "SPOOL_DIR": str(tmp_path / "spool"),
            "MIN_FREE_BYTES": "0",
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = _run("--json")

    captured = capsys.readouterr()
    verdicts = {check["name"]: check["verdict"] for check in json.loads(captured.out)["checks"]}
    assert code == 0
    assert verdicts["credentials"] == "ok"
    assert verdicts["rule"] == verdicts["queue"] == "warning"
    assert secret not in captured.out + captured.err
    assert bus.accepted == []
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_exits_2_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIN_FREE_BYTES", "plenty")

    assert _run() == 2
    assert "MIN_FREE_BYTES='plenty'" in capsys.readouterr().err
