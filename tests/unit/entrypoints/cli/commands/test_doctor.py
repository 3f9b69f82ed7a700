"""`transcripts doctor`: what it says, and its exit codes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.container import Container
from bootstrap.operator.examination import Check, CheckResult
from tests.support.aws.silence import silent_endpoint
from tests.support.doubles.stub_bus import StubBus
from tests.support.harness.command_line import Caller, Told

Run = Callable[..., Told]

FINE = Check("python", CheckResult.OK, "3.11.7")
OLD = Check("ffmpeg", CheckResult.WARNING, "8.1.2: holes", "update it")
UNSEEN = Check("route", CheckResult.UNKNOWN, "could not be looked at within 5 s", "check the network")
BROKEN = Check("rule", CheckResult.WRONG, "the rule is disabled", "enable it")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on a machine with these checks."""

    def run(checks: tuple[Check, ...], *arguments: str) -> Told:
        def examine(container: Container, *, seconds: float) -> Iterator[Check]:
            assert seconds == 5
            assert container.settings().rule_name == "capture-transcripts-rule"
            yield from checks

        monkeypatch.setattr("bootstrap.operator.doctor.examine", examine)
        return Caller(capsys)("doctor", *arguments)

    return run


@pytest.mark.parametrize(
    ("checks", "code"),
    [((FINE,), 0), ((FINE, OLD), 0), ((FINE, OLD, BROKEN), 1), ((BROKEN, FINE), 1), ((UNSEEN, FINE), 1)],
)
def test_what_is_wrong_or_could_not_be_looked_at_is_a_failure(
    run: Run, checks: tuple[Check, ...], code: int
) -> None:
    assert run(checks).code == code
    assert run(checks, "--json").code == code


def test_people_get_a_line_a_check_and_what_to_do(run: Run) -> None:
    assert run((FINE, OLD)).out.splitlines() == [
        "OK      python             3.11.7",
        "WARNING ffmpeg             8.1.2: holes",
        "        do: update it",
    ]


def test_each_line_is_printed_before_the_next_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[str] = []

    def examine(_container: Container, *, seconds: float) -> Iterator[Check]:  # noqa: ARG001 - the command's
        yield FINE
        printed.append(capsys.readouterr().out)
        yield OLD

    monkeypatch.setattr("bootstrap.operator.doctor.examine", examine)
    Caller(capsys)("doctor")

    assert printed == ["OK      python             3.11.7\n"]


def test_machines_get_one_json_object(run: Run) -> None:
    assert json.loads(run((FINE, BROKEN), "--json").out) == {
        "ok": False,
        "checks": [
            {"name": "python", "verdict": "ok", "found": "3.11.7", "remedy": ""},
            {"name": "rule", "verdict": "wrong", "found": "the rule is disabled", "remedy": "enable it"},
        ],
    }


def test_text_from_outside_cannot_steer_the_terminal(run: Run) -> None:
    out = run((BROKEN._replace(found="\x1b[2J\u202e[red]evil", remedy="\x07[bold]x"),)).out

    assert "\\x1b[2J\\u202e[red]evil" in out
    assert "\\x07[bold]x" in out
    assert not {"\x1b", "\u202e", "\x07"} & set(out)


@pytest.mark.process
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
        told = Caller(capsys)("doctor", "--timeout", "60", "--json")

    verdicts = {check["name"]: check["verdict"] for check in json.loads(told.out)["checks"]}
    assert told.code == 1
    assert verdicts["credentials"] == verdicts["rule"] == verdicts["queue"] == "unknown"
    assert secret not in told.out + told.err
    assert bus.accepted == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_a_silent_aws_is_unknown_within_the_time_of_each_check(
    monkeypatch: pytest.MonkeyPatch, call: Caller
) -> None:
    with silent_endpoint() as url:
        for name, value in {"AWS_ENDPOINT_URL": url, "TRANSCRIBER": "canned", "MIN_FREE_BYTES": "0"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PAYLOAD_BUCKET", "my-transcripts")
        told = call("doctor", "--timeout", "0.5", "--json")

    verdicts = {check["name"]: check["verdict"] for check in json.loads(told.out)["checks"]}
    assert told.code == 1
    assert {verdicts[name] for name in ("credentials", "route", "payload bucket")} == {"unknown"}
    assert verdicts["database"] == "warning"
