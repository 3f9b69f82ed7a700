"""`transcripts status`: output and exit codes."""

import json
from pathlib import Path
from typing import NoReturn

import pytest

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from bootstrap.settings import Settings
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, RouteComponent
from domain.model.route.status import Inspection, QueueLoad, ResourceStatus
from entrypoints.cli.commands import status
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed
from tests.support.harness.command_line import CommandOn, OnAws
from tests.support.samples.factories import an_event

SOUND = (
    ResourceStatus(RouteComponent.DEAD_LETTER_QUEUE, "dead-orders", exists=True, load=QueueLoad(0, 0)),
    ResourceStatus(RouteComponent.QUEUE, "orders", exists=True, load=QueueLoad(3, 1, oldest_seconds=7200.0)),
    ResourceStatus(RouteComponent.RULE, "capture", exists=True, state="ENABLED"),
    ResourceStatus(RouteComponent.TARGET, "orders", exists=True),
    ResourceStatus(RouteComponent.ARCHIVE, "archive", exists=False, expected=False),
)
DRIFT = Drift("State", "ENABLED", "DISABLED")


class _Route(OnAws, Diagnosed):
    """A route with a given status, and its container."""

    def __init__(self, *resources: ResourceStatus, other_targets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._inspection = Inspection(resources, other_targets)
        self.archive_days: list[int | None] = []

    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        self.archive_days.append(archive_days)
        return self._inspection

    def infrastructure(self) -> EventInfrastructurePort:
        return self

    def settings(self) -> Settings:
        return Settings.from_env({"DATABASE_URL": self.database_url})

    database_url = "sqlite:////nowhere/transcripts.db"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandOn:
    return CommandOn(status, monkeypatch, capsys)


def test_a_route_as_it_should_be_is_told_part_by_part_and_exits_0(run: CommandOn) -> None:
    told = run(_Route(*SOUND, other_targets=("arn:other",)))

    hint = "The service makes it at its first start; a relative path counts from the current folder, "
    unknown = f"DATABASE_URL: /nowhere/transcripts.db: No such file or directory. {hint}{Path.cwd()}."
    assert told.code == 0
    assert told.out.splitlines() == [
        f"outbox             not known: {unknown}",
        "jobs               not known",
        "dead-letter queue  ok         dead-orders",
        "  0 waiting, 0 in flight",
        "queue              ok         orders",
        "  3 waiting, 1 in flight; the oldest is 2 h old",
        "rule               ok         capture",
        "  ENABLED",
        "target             ok         orders",
        "archive            none       archive",
        "other target       added by others  arn:other",
        "The route is as it should be.",
    ]


@pytest.mark.parametrize(
    ("queue", "sentence"),
    [
        (
            SOUND[1]._replace(load=QueueLoad(1, 0, not_known_because="AccessDenied at GetMetricData")),
            "age of the oldest not known: AccessDenied at GetMetricData",
        ),
        (
            SOUND[1]._replace(differences=(Drift("Policy", "no further statement", "{}", ours=False),)),
            "added by others, and left, in Policy",
        ),
    ],
    ids=["an unknown age", "an addition of others"],
)
def test_what_is_no_drift_is_told_and_exits_0(run: CommandOn, queue: ResourceStatus, sentence: str) -> None:
    told = run(_Route(queue))

    assert told.code == 0
    assert sentence in told.out


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        (ResourceStatus(RouteComponent.RULE, "capture", exists=False), "missing"),
        (ResourceStatus(RouteComponent.RULE, "capture", exists=True, differences=(DRIFT,)), "differs"),
        (
            ResourceStatus(
                RouteComponent.RULE, "capture", exists=None, problem="AccessDenied at DescribeRule"
            ),
            "not known",
        ),
    ],
)
def test_what_is_missing_differs_or_cannot_be_seen_exits_1(
    run: CommandOn, resource: ResourceStatus, word: str
) -> None:
    code, out, _ = run(_Route(*SOUND[:2], resource))

    assert code == 1
    assert f"rule               {word:<9}  capture" in out
    assert out.endswith("The route is not known to be as it should be.\n")


def test_the_outbox_is_counted(run: CommandOn, tmp_path: Path) -> None:
    route = _Route(*SOUND)
    route.database_url = f"sqlite:///{tmp_path}/transcripts.db"
    database = prepare_database(route.database_url)
    SqlOutbox(database).add(an_event())
    database.close()

    told = run(route)

    assert "outbox             1 waiting (the oldest for " in told.out


def test_a_database_without_the_schema_is_told_and_left_alone(run: CommandOn, tmp_path: Path) -> None:
    file = tmp_path / "transcripts.db"
    file.touch()
    route = _Route(*SOUND)
    route.database_url = f"sqlite:///{file}"

    told = run(route)

    assert told.code == 0
    assert "not known: the schema of the outbox is not there yet" in told.out


def test_machines_get_one_json_object(run: CommandOn) -> None:
    disabled = ResourceStatus(
        RouteComponent.RULE, "capture", exists=True, differences=(DRIFT,), state="DISABLED"
    )

    told = run(_Route(SOUND[1], disabled), "--json")

    answer = json.loads(told.out)
    assert told.code == 1
    assert answer["ok"] is False
    assert answer["problem"] is None
    assert answer["other_targets"] == []
    assert "problem" in answer["outbox"]
    assert answer["resources"] == [
        {
            "resource": "queue",
            "name": "orders",
            "exists": True,
            "ok": True,
            "state": None,
            "differences": [],
            "problem": None,
            "load": {"waiting": 3, "in_flight": 1, "oldest_seconds": 7200.0, "not_known_because": ""},
        },
        {
            "resource": "rule",
            "name": "capture",
            "exists": True,
            "ok": False,
            "state": "DISABLED",
            "differences": [DRIFT._asdict()],
            "problem": None,
            "load": None,
        },
    ]


def test_the_archive_that_is_wanted_comes_from_the_option_or_else_the_environment(
    run: CommandOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = _Route(*SOUND)
    run(route)
    monkeypatch.setenv("ARCHIVE_DAYS", "30")
    run(route)
    run(route, "--archive", "0")

    assert route.archive_days == [None, 30, 0]


def test_text_from_aws_cannot_steer_the_terminal(run: CommandOn) -> None:
    hostile = ResourceStatus(
        RouteComponent.RULE, "capture", exists=True, differences=(DRIFT._replace(found="\x1b[2J\u202e"),)
    )

    told = run(_Route(hostile, other_targets=("\x1b]0;title\x07",)))

    assert not {"\x1b", "\u202e", "\x07"} & set(told.out)


class _Unreachable(_Route):
    """A route whose bus cannot be reached."""

    def inspect(self, *, archive_days: int | None = None) -> NoReturn:  # noqa: ARG002 - it is not reached
        raise InfrastructureError("reading the event bus default failed: ReadTimeoutError")


@pytest.fixture
def unreachable(tmp_path: Path) -> _Route:
    route = _Unreachable()
    route.database_url = f"sqlite:///{tmp_path}/transcripts.db"
    database = prepare_database(route.database_url)
    SqlOutbox(database).add(an_event())
    database.close()
    return route


def test_the_outbox_is_shown_even_where_aws_cannot_be_reached(run: CommandOn, unreachable: _Route) -> None:
    told = run(unreachable)

    first, jobs, second, last = told.out.splitlines()
    assert told.code == 1
    assert first.startswith("outbox             1 waiting (the oldest for ")
    assert jobs == "jobs               0 queued, 0 processing"
    assert second == "route              not known: reading the event bus default failed: ReadTimeoutError"
    assert last == "The route is not known to be as it should be."


def test_machines_get_the_outbox_and_the_problem_with_aws(run: CommandOn, unreachable: _Route) -> None:
    told = run(unreachable, "--json")

    answer = json.loads(told.out)
    assert (told.code, answer["ok"]) == (1, False)
    assert answer["problem"] == "reading the event bus default failed: ReadTimeoutError"
    assert answer["outbox"]["waiting"] == 1
    assert answer["jobs"] == {"queued": 0, "processing": 0, "oldest_queued_seconds": 0.0}


def test_the_outbox_is_shown_before_aws_is_asked(run: CommandOn, capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    class Watching(_Route):
        def inspect(self, *, archive_days: int | None = None) -> Inspection:
            printed.append(capsys.readouterr().out)
            return super().inspect(archive_days=archive_days)

    run(Watching(*SOUND))

    assert printed[0].startswith("outbox ")


def test_the_route_of_each_kind_of_event_is_shown(run: CommandOn) -> None:
    document = run(_Route(*SOUND), "--kinds", "completed,failed", "--json").answer

    assert document["failed"]["ok"] is True
    assert document["failed"]["resources"] == document["resources"]
    assert "outbox" not in document["failed"]
