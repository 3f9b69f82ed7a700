"""`transcripts provision`: what it says, and its exit codes."""

import json

import pytest

from bootstrap.settings import Settings
from domain.model.errors import InfrastructureError
from domain.model.infrastructure import Difference, Finding, Link, Part, Provisioning
from entrypoints.cli import provision
from entrypoints.cli.main import main
from ports.event_infrastructure_port import EventInfrastructurePort

BROKEN = Finding(Link.RULE, "the rule is disabled", "its state is [DISABLED]", "enable it")
EXISTING = Part(
    Link.QUEUE, "orders", created=False, differences=(Difference("Policy", "{}", '{"a": ["b"]}'),)
)
PARTS = (Part(Link.DEAD_LETTER_QUEUE, "dead-orders", created=True), EXISTING)


class _Route(EventInfrastructurePort):
    """A route that is as the test says, and a container that holds it."""

    def __init__(self, *findings: Finding, parts: tuple[Part, ...] = PARTS) -> None:
        self._result = Provisioning(parts, "https://sqs/orders", "https://sqs/dead", "arn:rule", findings)

    def provision(self) -> Provisioning:
        return self._result

    def diagnose(self) -> tuple[Finding, ...]:
        return self._result.findings

    def infrastructure(self) -> EventInfrastructurePort:
        return self


class _Unreachable(_Route):
    def provision(self) -> Provisioning:
        raise InfrastructureError("the event bus orders does not exist")


def _run(monkeypatch: pytest.MonkeyPatch, route: _Route, *arguments: str) -> int:
    def container(settings: Settings) -> _Route:
        assert settings.queue_name == "meeting-transcripts-queue"
        return route

    monkeypatch.setattr(provision, "build_container", container)
    with pytest.raises(SystemExit) as ended:
        main(["provision", *arguments])
    return int(ended.value.code or 0)


def test_queue_url_dlq_url_and_rule_arn_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route()) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "dead-letter queue  created   dead-orders"
    assert lines[1] == "queue              existing  orders"
    assert lines[-4:-1] == [
        "Queue URL  https://sqs/orders",
        "DLQ URL    https://sqs/dead",
        "Rule ARN   arn:rule",
    ]


def test_differences_are_printed_attribute_by_attribute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route()) == 0

    out = capsys.readouterr().out
    assert '  differs in Policy\n    wanted: {}\n    found:  {"a": ["b"]}\n' in out


def test_a_broken_route_is_told_with_its_remedy_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(BROKEN)) == 1

    out = capsys.readouterr().out
    assert "BROKEN rule: the rule is disabled" in out
    assert "seen: its state is [DISABLED]" in out
    assert "do:   enable it" in out


def test_what_could_not_be_checked_is_told_and_exits_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(BROKEN._replace(proven=False))) == 0

    assert "UNSURE rule" in capsys.readouterr().out


def test_machines_get_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(BROKEN), "--json") == 1

    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "queue_url": "https://sqs/orders",
        "dlq_url": "https://sqs/dead",
        "rule_arn": "arn:rule",
        "resources": [
            {"resource": "dead-letter queue", "name": "dead-orders", "status": "created", "differences": []},
            {
                "resource": "queue",
                "name": "orders",
                "status": "existing",
                "differences": [{"attribute": "Policy", "wanted": "{}", "found": '{"a": ["b"]}'}],
            },
        ],
        "findings": [
            {
                "link": "rule",
                "problem": "the rule is disabled",
                "evidence": "its state is [DISABLED]",
                "remedy": "enable it",
                "proven": True,
            }
        ],
    }


def test_a_route_that_cannot_be_provisioned_exits_1_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Unreachable()) == 1

    assert "Error: the event bus orders does not exist" in capsys.readouterr().err


def test_text_from_aws_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = Part(
        Link.QUEUE, "q", created=False, differences=(Difference("Policy", "", "\x1b[2J\u202eevil"),)
    )
    _run(monkeypatch, _Route(BROKEN._replace(evidence="\x1b]0;title\x07"), parts=(hostile,)))

    out = capsys.readouterr().out
    assert "\\x1b[2J\\u202eevil" in out
    assert not {"\x1b", "\u202e", "\x07"} & set(out)


def test_a_wrong_option_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, _Route(), "--no-such-option") == 2


def test_a_wrong_setting_exits_2_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUEUE_NAME", "no spaces")

    assert _run(monkeypatch, _Route()) == 2

    assert "QUEUE_NAME='no spaces'" in capsys.readouterr().err
