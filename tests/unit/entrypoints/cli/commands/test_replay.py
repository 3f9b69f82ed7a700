"""`transcripts replay`: output and exit codes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.errors import InfrastructureError
from domain.model.replays import Replay, ReplayRequest, ReplayState
from domain.services.route.replay import EventReplayService
from entrypoints.cli.commands import replay
from entrypoints.cli.main import main
from tests.support.doubles.replay import InMemoryReplays
from tests.support.samples.factories import A_MOMENT

TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
STATES = (ReplayState.STARTING, ReplayState.RUNNING, ReplayState.COMPLETED)
FROM_TO = ("--from", "2026-11-23T08:00:00Z", "--to", "2026-11-23T13:00:00+01:00")


class _Replays(InMemoryReplays):
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


def _run(monkeypatch: pytest.MonkeyPatch, replays: _Replays, *arguments: str) -> int:
    monkeypatch.setattr(replay, "build_container", lambda _: replays)
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    return int(ended.value.code or 0)


def test_a_replay_is_followed_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = _Replays()

    assert _run(monkeypatch, replays, *FROM_TO, "--tenant", TENANT) == 0

    (name,), captured = replays.names, capsys.readouterr()
    assert captured.err.splitlines() == [
        f"{name}  starting  0%",
        f"{name}  running  100%",
        f"{name}  completed  100%",
    ]
    assert captured.out == f"{name}  completed  100%\n"
    (request,) = replays.requests
    assert request.start == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert request.end == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert str(request.tenant_id) == TENANT


def test_without_an_end_it_goes_up_to_now(monkeypatch: pytest.MonkeyPatch) -> None:
    replays = _Replays()

    _run(monkeypatch, replays, *FROM_TO[:2])

    (request,) = replays.requests
    assert datetime.now(UTC) - request.end < timedelta(minutes=1)
    assert request.tenant_id is None


def test_without_waiting_its_name_is_told_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = _Replays()

    assert _run(monkeypatch, replays, *FROM_TO, "--no-wait") == 0

    (name,), out = replays.names, capsys.readouterr().out
    assert f"{name}  starting" in out
    assert f"transcripts replay show {name}" in out
    assert f"transcripts replay cancel {name}" in out


def test_machines_get_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = _Replays()

    assert _run(monkeypatch, replays, *FROM_TO, "--json") == 0

    assert json.loads(capsys.readouterr().out) == {
        "name": replays.names[0],
        "state": "completed",
        "from": "2026-11-23T08:00:00+00:00",
        "to": "2026-11-23T12:00:00+00:00",
        "reached": "2026-11-23T12:00:00+00:00",
        "progress": 1.0,
        "reason": None,
    }


def test_ctrl_c_leaves_it_running_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    replays = _Replays()
    replays.pause = interrupt

    assert _run(monkeypatch, replays, *FROM_TO, "--tenant", TENANT) == 130

    (name,), err = replays.names, capsys.readouterr().err
    assert f"The replay continues. Show it with `transcripts replay show {name}`" in err
    assert replays.cancelled == []
    assert replays.needed == {name}


@pytest.mark.parametrize("end", [ReplayState.FAILED, ReplayState.CANCELLED])
def test_a_replay_that_does_not_go_through_exits_1(monkeypatch: pytest.MonkeyPatch, end: ReplayState) -> None:
    assert _run(monkeypatch, _Replays((ReplayState.RUNNING, end)), *FROM_TO) == 1


def test_one_that_was_left_running_can_be_shown_and_followed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = _Replays()
    _run(monkeypatch, replays, *FROM_TO, "--no-wait")
    (name,) = replays.names
    capsys.readouterr()

    assert _run(monkeypatch, replays, "show", name) == 0
    assert capsys.readouterr().out == f"{name}  starting  0%\n"
    assert _run(monkeypatch, replays, "show", name, "--wait") == 0
    assert capsys.readouterr().out == f"{name}  completed  100%\n"


def test_one_that_was_left_running_can_be_cancelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = _Replays()
    _run(monkeypatch, replays, *FROM_TO, "--no-wait")
    (name,) = replays.names
    capsys.readouterr()

    assert _run(monkeypatch, replays, "cancel", name, "--json") == 0

    assert json.loads(capsys.readouterr().out)["state"] == "cancelling"
    assert replays.cancelled == [name]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Give --from"),
        (("--to", "2026-11-23T08:00:00Z"), "Give --from"),
        (("--from", "yesterday"), "'yesterday' is not a time such as 2026-11-23T18:00:00Z"),
        (("--from", "2026-11-23T08:00:00"), "has no time zone: append Z"),
        (("--from", "9999-12-31T23:59:59-23:59"), "is before the year 1 or after 9999"),
        (("--from", "0001-01-01T00:00:00+23:59"), "is before the year 1 or after 9999"),
        (("--from", "2026-11-23T08:00:00Z", "--to", "2026-11-23T08:00:00Z"), "is not after"),
        (("--from", "2026-11-23T08:00:00Z", "--to", "2999-01-01T00:00:00Z"), "is in the future"),
        ((*FROM_TO, "--tenant", "acme"), "'acme' is not a valid UUID"),
    ],
)
def test_what_cannot_be_replayed_is_a_usage_error_and_nothing_begins(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    replays = _Replays()

    assert _run(monkeypatch, replays, *arguments) == 2

    assert complaint in " ".join(capsys.readouterr().err.split())
    assert replays.requests == []


def test_a_replay_that_cannot_begin_exits_1_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = _Replays()
    replays.archive = None

    assert _run(monkeypatch, replays, *FROM_TO) == 1

    assert "Error: there is no archive" in capsys.readouterr().err


def test_a_reason_from_aws_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Hostile(_Replays):
        def look(self, name: str, /) -> Replay:
            if name == "gone":
                raise InfrastructureError("gone")
            return Replay("\x1b[2J", ReplayState.FAILED, A_MOMENT, A_MOMENT, None, "\u202eevil")

    assert _run(monkeypatch, Hostile(), "show", "any") == 1

    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)
