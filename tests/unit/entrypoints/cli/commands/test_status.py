"""`transcripts status`: output and exit codes."""

import json
from pathlib import Path

import pytest

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from bootstrap.settings import Settings
from domain.model.route.route import Drift, RouteComponent
from domain.model.route.status import Inspection, QueueLoad, ResourceStatus
from entrypoints.cli.commands import status
from entrypoints.cli.main import main
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed
from tests.support.samples.factories import an_event

SOUND = (
    ResourceStatus(RouteComponent.DEAD_LETTER_QUEUE, "dead-orders", exists=True, load=QueueLoad(0, 0)),
    ResourceStatus(RouteComponent.QUEUE, "orders", exists=True, load=QueueLoad(3, 1, oldest_seconds=7200.0)),
    ResourceStatus(RouteComponent.RULE, "capture", exists=True, state="ENABLED"),
    ResourceStatus(RouteComponent.TARGET, "orders", exists=True),
    ResourceStatus(RouteComponent.ARCHIVE, "archive", exists=False, expected=False),
)
DRIFT = Drift("State", "ENABLED", "DISABLED")


class _Route(Diagnosed):
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


def _run(monkeypatch: pytest.MonkeyPatch, route: _Route, *arguments: str) -> int:
    monkeypatch.setattr(status, "build_container", lambda _: route)
    with pytest.raises(SystemExit) as ended:
        main(["status", *arguments])
    return int(ended.value.code or 0)


def test_a_route_as_it_should_be_is_told_part_by_part_and_exits_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(*SOUND, other_targets=("arn:other",))) == 0

    hint = "The service makes it at its first start; a relative path counts from the current folder, "
    unknown = f"DATABASE_URL: /nowhere/transcripts.db: No such file or directory. {hint}{Path.cwd()}."
    assert capsys.readouterr().out.splitlines() == [
        "dead-letter queue  ok         dead-orders",
        "  0 waiting, 0 in flight",
        "queue              ok         orders",
        "  3 waiting, 1 in flight; the oldest is 2 h old",
        "rule               ok         capture",
        "  ENABLED",
        "target             ok         orders",
        "archive            none       archive",
        "other target       added by others  arn:other",
        f"outbox             not known: {unknown}",
        "The route is as it should be.",
    ]


def test_an_age_that_is_not_known_is_told_as_such_and_is_no_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = QueueLoad(1, 0, not_known_because="AccessDenied at GetMetricData")

    assert (
        _run(monkeypatch, _Route(ResourceStatus(RouteComponent.QUEUE, "orders", exists=True, load=load))) == 0
    )

    assert "age of the oldest not known: AccessDenied at GetMetricData" in capsys.readouterr().out


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
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], resource: ResourceStatus, word: str
) -> None:
    assert _run(monkeypatch, _Route(*SOUND[:2], resource)) == 1

    out = capsys.readouterr().out
    assert f"rule               {word:<9}  capture" in out
    assert out.endswith("The route is not known to be as it should be.\n")


def test_what_others_added_is_shown_and_is_no_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = Drift("Policy", "no further statement", "{}", ours=False)

    assert (
        _run(
            monkeypatch,
            _Route(ResourceStatus(RouteComponent.QUEUE, "orders", exists=True, differences=(theirs,))),
        )
        == 0
    )

    assert "added by others, and left, in Policy" in capsys.readouterr().out


def test_the_outbox_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    route = _Route(*SOUND)
    route.database_url = f"sqlite:///{tmp_path}/transcripts.db"
    database = prepare_database(route.database_url)
    SqlOutbox(database).add(an_event())
    database.close()

    _run(monkeypatch, route)

    assert "outbox             1 waiting (the oldest for " in capsys.readouterr().out


def test_a_database_without_the_schema_is_told_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "transcripts.db"
    file.touch()
    route = _Route(*SOUND)
    route.database_url = f"sqlite:///{file}"

    assert _run(monkeypatch, route) == 0

    assert "not known: the schema of the outbox is not there yet" in capsys.readouterr().out


def test_machines_get_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    disabled = ResourceStatus(
        RouteComponent.RULE, "capture", exists=True, differences=(DRIFT,), state="DISABLED"
    )

    assert _run(monkeypatch, _Route(SOUND[1], disabled), "--json") == 1

    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route = _Route(*SOUND)
    _run(monkeypatch, route)
    monkeypatch.setenv("ARCHIVE_DAYS", "30")
    _run(monkeypatch, route)
    _run(monkeypatch, route, "--archive", "0")

    assert route.archive_days == [None, 30, 0]


def test_text_from_aws_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = ResourceStatus(
        RouteComponent.RULE, "capture", exists=True, differences=(DRIFT._replace(found="\x1b[2J\u202e"),)
    )

    _run(monkeypatch, _Route(hostile, other_targets=("\x1b]0;title\x07",)))

    assert not {"\x1b", "\u202e", "\x07"} & set(capsys.readouterr().out)


def test_a_wrong_setting_exits_2_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARCHIVE_DAYS", "a month")

    assert _run(monkeypatch, _Route(*SOUND)) == 2

    assert "ARCHIVE_DAYS='a month': whole days, such as 30" in capsys.readouterr().err
