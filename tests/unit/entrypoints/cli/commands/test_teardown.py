"""`transcripts teardown`: prompt, output and exit codes."""

import io
import json

import pytest

from domain.model.errors import InfrastructureError
from domain.model.route.route import RouteComponent, RouteNames
from domain.model.route.status import RemovalOutcome, RemovedResource
from entrypoints.cli.commands import teardown
from entrypoints.cli.main import main
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed

REMOVALS = (
    RemovedResource(RouteComponent.TARGET, "orders", RemovalOutcome.REMOVED),
    RemovedResource(RouteComponent.RULE, "capture", RemovalOutcome.MISSING),
    RemovedResource(RouteComponent.BUS, "shop", RemovalOutcome.LEFT, "others may use it"),
)


class _Route(Diagnosed):
    """A route that can be removed once, and its container."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[bool, bool]] = []

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        self.asked.append((force, archive))
        return REMOVALS

    def infrastructure(self) -> EventInfrastructurePort:
        return self

    def route_names(self) -> RouteNames:
        return RouteNames(bus="shop", rule="capture", queue="orders", dead_letter_queue="dead-orders")


class _Full(_Route):
    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        raise InfrastructureError(f"the queue orders holds messages {force} {archive}")


def _run(monkeypatch: pytest.MonkeyPatch, route: _Route, *arguments: str, answer: str = "") -> int:
    monkeypatch.setattr(teardown, "build_container", lambda _: route)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    with pytest.raises(SystemExit) as ended:
        main(["teardown", *arguments])
    return int(ended.value.code or 0)


def test_it_asks_first_and_says_what_was_removed_and_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    route = _Route()

    assert _run(monkeypatch, route, answer="y\n") == 0

    assert capsys.readouterr().out == (
        "Remove rule capture of the bus shop, queues orders and dead-orders? [y/N]: "
        "target             removed   orders\n"
        "rule               missing   capture\n"
        "bus                left      shop  (others may use it)\n"
    )
    assert route.asked == [(False, False)]


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("", 2)])
def test_without_a_yes_nothing_is_removed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, code: int
) -> None:
    route = _Route()

    assert _run(monkeypatch, route, answer=answer) == code

    assert "Nothing was done." in capsys.readouterr().err
    assert route.asked == []


def test_what_is_lost_is_in_the_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    route = _Route()

    _run(monkeypatch, route, "--force", "--archive", answer="y\n")

    question = capsys.readouterr().out.partition("?")[0]
    assert "the archive meeting-transcripts-archive with every event in it" in question
    assert question.endswith("with the messages in them")
    assert route.asked == [(True, True)]


def test_scripts_are_not_asked_and_get_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Route(), "--yes", "--json") == 0

    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "resources": [
            {"resource": "target", "name": "orders", "status": "removed", "reason": None},
            {"resource": "rule", "name": "capture", "status": "missing", "reason": None},
            {"resource": "bus", "name": "shop", "status": "left", "reason": "others may use it"},
        ],
    }


def test_machines_that_cannot_be_asked_must_say_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    route = _Route()

    assert _run(monkeypatch, route, "--json", answer="y\n") == 2

    assert route.asked == []


def test_messages_that_wait_are_an_error_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, _Full(), "--yes") == 1

    assert "Error: the queue orders holds messages" in capsys.readouterr().err
