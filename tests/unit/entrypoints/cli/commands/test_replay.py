"""`transcripts replay`: output and exit codes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.errors import InfrastructureError
from domain.model.replays import Replay, ReplayRequest, ReplayState
from domain.services.route.replay import EventReplayService
from entrypoints.cli.commands import replay
from tests.support.doubles.replay import InMemoryReplays
from tests.support.harness.command_line import PLACE_KEYS, PLACE_LINE, CommandOn, OnAws
from tests.support.samples.factories import A_MOMENT

TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
STATES = (ReplayState.STARTING, ReplayState.RUNNING, ReplayState.COMPLETED)
FROM_TO = ("--from", "2026-11-23T08:00:00Z", "--to", "2026-11-23T13:00:00+01:00")


class _Replays(OnAws, InMemoryReplays):
    """Replays that record the requests, and their container."""

    def __init__(self, states: tuple[ReplayState, ...] = STATES) -> None:
        super().__init__(lambda: A_MOMENT, states)
        self.requests: list[ReplayRequest] = []
        self.names: list[str] = []
        self.pause: Callable[[float], None] = lambda _: None

    def start(self, request: ReplayRequest, /) -> str:
        self.requests.append(request)
        self.names.append(super().start(request))
        return self.names[-1]

    def replays(self) -> EventReplayService:
        return EventReplayService(self, pause=self.pause)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandOn:
    return CommandOn(replay, monkeypatch, capsys)


def test_a_replay_is_followed_to_its_end(run: CommandOn) -> None:
    replays = _Replays()

    told = run(replays, *FROM_TO, "--tenant", TENANT)

    (name,) = replays.names
    assert told.code == 0
    assert told.err.splitlines(keepends=True)[0] == PLACE_LINE
    assert told.err.splitlines()[1:] == [
        f"{name}  starting  0%",
        f"{name}  running  100%",
        f"{name}  completed  100%",
    ]
    assert told.out == f"{name}  completed  100%\n"
    (request,) = replays.requests
    assert request.start == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert request.end == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert str(request.tenant_id) == TENANT


def test_without_an_end_it_goes_up_to_now(run: CommandOn) -> None:
    replays = _Replays()

    run(replays, *FROM_TO[:2])

    (request,) = replays.requests
    assert datetime.now(UTC) - request.end < timedelta(minutes=1)
    assert request.tenant_id is None


def test_without_waiting_its_name_is_told_and_how_to_go_on(run: CommandOn) -> None:
    replays = _Replays()

    code, out, _ = run(replays, *FROM_TO, "--no-wait")

    (name,) = replays.names
    assert code == 0
    assert f"{name}  starting" in out
    assert f"transcripts replay show {name}" in out
    assert f"transcripts replay cancel {name}" in out


def test_machines_get_one_json_object(run: CommandOn) -> None:
    replays = _Replays()

    told = run(replays, *FROM_TO, "--json")

    assert told.code == 0
    assert json.loads(told.out) == PLACE_KEYS | {
        "name": replays.names[0],
        "state": "completed",
        "from": "2026-11-23T08:00:00+00:00",
        "to": "2026-11-23T12:00:00+00:00",
        "reached": "2026-11-23T12:00:00+00:00",
        "progress": 1.0,
        "reason": None,
    }


def test_ctrl_c_leaves_it_running_and_says_how_to_go_on(run: CommandOn) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    replays = _Replays()
    replays.pause = interrupt

    code, _, err = run(replays, *FROM_TO, "--tenant", TENANT)

    (name,) = replays.names
    assert code == 130
    assert f"The replay continues. Show it with `transcripts replay show {name}`" in err
    assert replays.cancelled == []
    assert replays.needed == {name}


@pytest.mark.parametrize("end", [ReplayState.FAILED, ReplayState.CANCELLED])
def test_a_replay_that_does_not_go_through_exits_1(run: CommandOn, end: ReplayState) -> None:
    assert run(_Replays((ReplayState.RUNNING, end)), *FROM_TO).code == 1


def test_one_that_was_left_running_can_be_shown_and_followed(run: CommandOn) -> None:
    replays = _Replays()
    run(replays, *FROM_TO, "--no-wait")
    (name,) = replays.names

    assert run(replays, "show", name)[:2] == (0, f"{name}  starting  0%\n")
    assert run(replays, "show", name, "--wait")[:2] == (0, f"{name}  completed  100%\n")


def test_one_that_was_left_running_can_be_cancelled(run: CommandOn) -> None:
    replays = _Replays()
    run(replays, *FROM_TO, "--no-wait")
    (name,) = replays.names

    told = run(replays, "cancel", name, "--json")

    assert told.code == 0
    assert json.loads(told.out)["state"] == "cancelling"
    assert replays.cancelled == [name]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Give --from"),
        (("--to", "2026-11-23T08:00:00Z"), "Give --from"),
        (("--from", "0001-01-01T00:00:00+23:59"), "is before the year 1 or after 9999"),
        (("--from", "2026-11-23T08:00:00Z", "--to", "2026-11-23T08:00:00Z"), "is not after"),
        (("--from", "2026-11-23T08:00:00Z", "--to", "2999-01-01T00:00:00Z"), "is in the future"),
    ],
)
def test_what_cannot_be_replayed_is_a_usage_error_and_nothing_begins(
    run: CommandOn,
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    replays = _Replays()

    told = run(replays, *arguments)

    assert told.code == 2
    assert complaint in " ".join(told.err.split())
    assert replays.requests == []


def test_a_reason_from_aws_cannot_steer_the_terminal(run: CommandOn) -> None:
    class Hostile(_Replays):
        def look(self, name: str, /) -> Replay:
            if name == "gone":
                raise InfrastructureError("gone")
            return Replay("\x1b[2J", ReplayState.FAILED, A_MOMENT, A_MOMENT, None, "\u202eevil")

    told = run(Hostile(), "show", "any")

    assert told.code == 1
    assert not {"\x1b", "\u202e"} & set(told.out)
