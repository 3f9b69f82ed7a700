"""`transcripts provision`: output and exit codes."""

import json

import pytest

from domain.model.route.route import Drift, Finding, ProvisionedResource, ProvisioningReport, RouteComponent
from domain.model.route.status import Inspection, ResourceStatus
from entrypoints.cli.commands import provision
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed
from tests.support.harness.command_line import PLACE_KEYS, CommandOn, OnAws

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


class _Route(OnAws, Diagnosed):
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


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandOn:
    return CommandOn(provision, monkeypatch, capsys)


def test_queue_url_dlq_url_and_rule_arn_are_printed(run: CommandOn) -> None:
    told = run(_Route())

    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == "dead-letter queue  created   dead-orders"
    assert lines[1] == "queue              existing  orders"
    assert lines[-4:-1] == [
        "Queue URL  https://sqs/orders",
        "DLQ URL    https://sqs/dead",
        "Rule ARN   arn:rule",
    ]


def test_differences_are_printed_attribute_by_attribute(run: CommandOn) -> None:
    code, out, _ = run(_Route())

    assert code == 0
    assert '  differs in Policy\n    wanted: {}\n    found:  {"a": ["b"]}\n' in out


def test_a_broken_route_is_told_with_its_remedy_and_exits_1(run: CommandOn) -> None:
    code, out, _ = run(_Route(BROKEN))

    assert code == 1
    assert "BROKEN rule: the rule is disabled" in out
    assert "seen: its state is [DISABLED]" in out
    assert "do:   enable it" in out


def test_what_could_not_be_checked_is_told_and_exits_0(run: CommandOn) -> None:
    told = run(_Route(BROKEN._replace(proven=False)))

    assert told.code == 0
    assert "UNSURE rule" in told.out


def test_machines_get_one_json_object(run: CommandOn) -> None:
    told = run(_Route(BROKEN), "--json")

    assert told.code == 1
    assert json.loads(told.out) == PLACE_KEYS | {
        "ok": False,
        "problem": None,
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


def test_text_from_aws_cannot_steer_the_terminal(run: CommandOn) -> None:
    hostile = ProvisionedResource(
        RouteComponent.QUEUE, "q", created=False, differences=(Drift("Policy", "", "\x1b[2J\u202eevil"),)
    )
    out = run(_Route(BROKEN._replace(evidence="\x1b]0;title\x07"), resources=(hostile,))).out

    assert "\\x1b[2J\\u202eevil" in out
    assert not {"\x1b", "\u202e", "\x07"} & set(out)


def test_a_dry_run_shows_the_plan_and_does_nothing(run: CommandOn) -> None:
    route = _Route(statuses=STATUSES)

    told = run(route, "--dry-run", "--repair")

    assert told.code == 0
    assert told.out == PLAN
    assert route.asked == [("inspect", None)]


def test_without_a_repair_the_plan_says_what_would_be_left(run: CommandOn) -> None:
    told = run(_Route(statuses=STATUSES), "--dry-run")

    assert told.code == 0
    assert "change     queue              orders  (only with --repair)" in told.out


def test_machines_get_the_plan_too(run: CommandOn) -> None:
    create, change = run(_Route(statuses=STATUSES), "--dry-run", "--json").answer["changes"]

    assert (create["action"], create["resource"], create["only_with_repair"]) == (
        "create",
        "dead-letter queue",
        False,
    )
    assert (change["action"], change["only_with_repair"]) == ("change", True)
    assert change["differences"] == [DRIFT._asdict()]


def test_a_plan_with_a_blind_spot_exits_1_and_says_so(run: CommandOn) -> None:
    hidden = ResourceStatus(
        RouteComponent.RULE, "capture", exists=None, problem="AccessDenied at DescribeRule"
    )

    told = run(_Route(statuses=(hidden,)), "--dry-run")

    assert told.code == 1
    assert "not known  rule               AccessDenied at DescribeRule" in told.out


def test_a_repair_shows_its_plan_and_asks(run: CommandOn) -> None:
    route = _Route(statuses=STATUSES)

    told = run(route, "--repair", answer="y\n")

    assert told.code == 0
    assert told.out.startswith(PLAN + "Do this? [y/N]: ")
    assert route.asked == [("inspect", None), ("repair", None)]


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("", 2)])
def test_a_repair_that_is_not_confirmed_changes_nothing(run: CommandOn, answer: str, code: int) -> None:
    route = _Route(statuses=STATUSES)

    assert run(route, "--repair", answer=answer).code == code

    assert route.asked == [("inspect", None)]


def test_scripts_repair_without_being_asked(run: CommandOn) -> None:
    route = _Route(statuses=STATUSES)

    assert run(route, "--repair", "--yes", "--json").code == 0

    assert route.asked == [("repair", None)]


def test_machines_that_cannot_be_asked_must_say_yes(run: CommandOn) -> None:
    route = _Route(statuses=STATUSES)

    assert run(route, "--repair", "--json").code == 2

    assert route.asked == []


def test_the_days_of_the_archive_come_from_the_option_or_else_the_environment(
    run: CommandOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = _Route()
    monkeypatch.setenv("ARCHIVE_DAYS", "30")

    run(route, "--archive", "7")
    run(route)

    assert route.asked == [("provision", 7), ("provision", 30)]


def test_what_was_mended_is_told(run: CommandOn) -> None:
    mended = ProvisionedResource(RouteComponent.QUEUE, "orders", created=False, mended=(DRIFT,))

    told = run(_Route(resources=(mended,)), "--repair", "--yes")

    assert "queue              mended    orders" in told.out


@pytest.mark.parametrize("template", ["cloudformation", "terraform"])
def test_the_route_is_printed_for_other_tools_without_asking_aws(
    run: CommandOn, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setenv("QUEUE_NAME", "orders")

    told = run(None, "--format", template, "--archive", "7")

    assert told.answer
    assert '"orders"' in told.out
    assert "meeting-transcripts-archive" in told.out


def test_a_template_is_only_printed(run: CommandOn) -> None:
    told = run(None, "--format", "terraform", "--repair")

    assert told.code == 2
    assert "cannot be combined with --repair or --dry-run" in told.err


def test_each_kind_of_event_gets_a_route_and_the_answer_of_completed_ones_stays_as_it_was(
    run: CommandOn,
) -> None:
    route = _Route()

    both, one = (run(route, "--json", "--kinds", kinds).answer for kinds in ("completed,failed", "completed"))

    failed = both.pop("failed")
    assert both == one
    assert {**failed, **PLACE_KEYS} == one
    assert route.asked == [("provision", None)] * 3


def test_a_broken_route_of_one_kind_exits_1(run: CommandOn) -> None:
    told = run(_Route(BROKEN), "--json", "--kinds", "failed")

    document = json.loads(told.out)
    assert told.code == 1
    assert document["ok"] is False
    assert document["failed"]["findings"][0]["link"] == "rule"


def test_an_unknown_kind_names_those_that_there_are(run: CommandOn) -> None:
    told = run(_Route(), "--kinds", "completed,cancelled")

    assert told.code == 2
    assert "'cancelled' is not one of completed, failed, erased" in told.err


def test_a_plan_names_the_kind_of_each_route(run: CommandOn) -> None:
    told = run(_Route(statuses=STATUSES), "--dry-run", "--repair", "--kinds", "completed,failed")

    assert told.out.endswith(f"BatchProcessingCompleted:\n{PLAN}BatchProcessingFailed:\n{PLAN}")


def test_a_template_is_of_one_kind(run: CommandOn) -> None:
    both = run(_Route(), "--format", "cloudformation", "--kinds", "completed,failed")
    failed = run(_Route(), "--format", "cloudformation", "--kinds", "failed")

    assert both.code == 2
    assert "--format prints one route: add --kinds completed or --kinds failed." in both.err
    assert "meeting-failures-queue" in failed.out
    assert "BatchProcessingCompleted" not in failed.out


def test_the_template_of_erasures_has_their_own_names(run: CommandOn) -> None:
    erased = run(_Route(), "--format", "cloudformation", "--kinds", "erased").out

    assert all(
        name in erased for name in ("meeting-erasures-queue", "meeting-erasures-dlq", "TranscriptErased")
    )
    assert "BatchProcessing" not in erased
