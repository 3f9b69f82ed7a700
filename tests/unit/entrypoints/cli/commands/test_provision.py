"""`transcripts provision`: output and exit codes."""

import io
import json

import pytest

from bootstrap.settings import Settings
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, Finding, ProvisionedResource, ProvisioningReport, RouteComponent
from domain.model.route.status import Inspection, ResourceStatus
from entrypoints.cli.commands import provision
from entrypoints.cli.main import main
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed

DRIFT = Drift("VisibilityTimeout", "30", "31")
STATUSES = (
    ResourceStatus(RouteComponent.DEAD_LETTER_QUEUE, "dead-orders", exists=False),
    ResourceStatus(RouteComponent.QUEUE, "orders", exists=True, differences=(DRIFT,)),
)
PLAN = """\
create     dead-letter queue  dead-orders
change     queue              orders
  differs in VisibilityTimeout
    wanted: 30
    found:  31
"""
BROKEN = Finding(RouteComponent.RULE, "the rule is disabled", "its state is [DISABLED]", "enable it")
EXISTING = ProvisionedResource(
    RouteComponent.QUEUE, "orders", created=False, differences=(Drift("Policy", "{}", '{"a": ["b"]}'),)
)
RESOURCES = (ProvisionedResource(RouteComponent.DEAD_LETTER_QUEUE, "dead-orders", created=True), EXISTING)


class _Route(Diagnosed):
    """A route with a given status, a record of the calls to it, and its container."""

    def __init__(
        self,
        *findings: Finding,
        resources: tuple[ProvisionedResource, ...] = RESOURCES,
        statuses: tuple[ResourceStatus, ...] = (),
    ) -> None:
        super().__init__(*findings)
        self._result = ProvisioningReport(
            resources, "https://sqs/orders", "https://sqs/dead", "arn:rule", findings
        )
        self._statuses = statuses
        self.asked: list[tuple[str, int | None]] = []

    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        self.asked.append(("provision", archive_days))
        return self._result

    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        self.asked.append(("repair", archive_days))
        return self._result

    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        self.asked.append(("inspect", archive_days))
        return Inspection(self._statuses)

    def infrastructure(self) -> EventInfrastructurePort:
        return self


class _Unreachable(_Route):
    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        raise InfrastructureError(f"the event bus orders does not exist, archive {archive_days}")


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
            {
                "resource": "dead-letter queue",
                "name": "dead-orders",
                "status": "created",
                "differences": [],
                "mended": [],
            },
            {
                "resource": "queue",
                "name": "orders",
                "status": "existing",
                "differences": [
                    {"attribute": "Policy", "wanted": "{}", "found": '{"a": ["b"]}', "ours": True}
                ],
                "mended": [],
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
    hostile = ProvisionedResource(
        RouteComponent.QUEUE, "q", created=False, differences=(Drift("Policy", "", "\x1b[2J\u202eevil"),)
    )
    _run(monkeypatch, _Route(BROKEN._replace(evidence="\x1b]0;title\x07"), resources=(hostile,)))

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


def test_a_dry_run_shows_the_plan_and_does_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    route = _Route(statuses=STATUSES)

    assert _run(monkeypatch, route, "--dry-run", "--repair") == 0

    assert capsys.readouterr().out == PLAN
    assert route.asked == [("inspect", None)]


def test_without_a_repair_the_plan_says_what_would_be_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(statuses=STATUSES), "--dry-run") == 0

    assert "change     queue              orders  (only with --repair)" in capsys.readouterr().out


def test_machines_get_the_plan_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(statuses=STATUSES), "--dry-run", "--json") == 0

    create, change = json.loads(capsys.readouterr().out)["changes"]
    assert (create["action"], create["resource"], create["only_with_repair"]) == (
        "create",
        "dead-letter queue",
        False,
    )
    assert (change["action"], change["only_with_repair"]) == ("change", True)
    assert change["differences"] == [DRIFT._asdict()]


def test_a_plan_with_a_blind_spot_exits_1_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = ResourceStatus(
        RouteComponent.RULE, "capture", exists=None, problem="AccessDenied at DescribeRule"
    )

    assert _run(monkeypatch, _Route(statuses=(hidden,)), "--dry-run") == 1

    assert "not known  rule               AccessDenied at DescribeRule" in capsys.readouterr().out


def test_a_repair_shows_its_plan_and_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    route = _Route(statuses=STATUSES)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    assert _run(monkeypatch, route, "--repair") == 0

    assert capsys.readouterr().out.startswith(PLAN + "Do this? [y/N]: ")
    assert route.asked == [("inspect", None), ("repair", None)]


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("", 2)])
def test_a_repair_that_is_not_confirmed_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    route = _Route(statuses=STATUSES)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    assert _run(monkeypatch, route, "--repair") == code

    assert route.asked == [("inspect", None)]


def test_scripts_repair_without_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    route = _Route(statuses=STATUSES)

    assert _run(monkeypatch, route, "--repair", "--yes", "--json") == 0

    assert route.asked == [("repair", None)]


def test_machines_that_cannot_be_asked_must_say_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    route = _Route(statuses=STATUSES)

    assert _run(monkeypatch, route, "--repair", "--json") == 2

    assert route.asked == []


def test_the_days_of_the_archive_come_from_the_option_or_else_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route = _Route()
    monkeypatch.setenv("ARCHIVE_DAYS", "30")

    _run(monkeypatch, route, "--archive", "7")
    _run(monkeypatch, route)

    assert route.asked == [("provision", 7), ("provision", 30)]


def test_what_was_mended_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    mended = ProvisionedResource(RouteComponent.QUEUE, "orders", created=False, mended=(DRIFT,))

    _run(monkeypatch, _Route(resources=(mended,)), "--repair", "--yes")

    assert "queue              mended    orders" in capsys.readouterr().out


def test_what_others_added_is_told_as_theirs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = Drift("Policy", "no further statement", "{}", ours=False)

    _run(
        monkeypatch,
        _Route(
            resources=(
                ProvisionedResource(RouteComponent.QUEUE, "orders", created=False, differences=(theirs,)),
            )
        ),
    )

    assert "added by others, and left, in Policy" in capsys.readouterr().out


@pytest.mark.parametrize("template", ["cloudformation", "terraform"])
def test_the_route_is_printed_for_other_tools_without_asking_aws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], template: str
) -> None:
    monkeypatch.setenv("QUEUE_NAME", "orders")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # no server there

    with pytest.raises(SystemExit) as ended:
        main(["provision", "--format", template, "--archive", "7"])

    printed = capsys.readouterr().out
    assert not ended.value.code
    assert json.loads(printed)
    assert '"orders"' in printed
    assert "meeting-transcripts-archive" in printed


def test_a_template_is_only_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["provision", "--format", "terraform", "--repair"])

    assert ended.value.code == 2
    assert "cannot be combined with --repair or --dry-run" in capsys.readouterr().err
