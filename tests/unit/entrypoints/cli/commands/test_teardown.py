"""`transcripts teardown`: prompt, output and exit codes."""

import json

import pytest

from domain.model.errors import InfrastructureError
from domain.model.route.route import RouteComponent, RouteNames
from domain.model.route.status import RemovalOutcome, RemovedResource
from entrypoints.cli.commands import teardown
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed
from tests.support.harness.command_line import PLACE_KEYS, CommandOn, OnAws

REMOVALS = (
    RemovedResource(RouteComponent.TARGET, "orders", RemovalOutcome.REMOVED),
    RemovedResource(RouteComponent.RULE, "capture", RemovalOutcome.MISSING),
    RemovedResource(RouteComponent.BUS, "shop", RemovalOutcome.LEFT, "others may use it"),
)


class _Route(OnAws, Diagnosed):
    """A route that can be removed once, and its container."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[bool, bool]] = []

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        self.asked.append((force, archive))
        return REMOVALS

    def infrastructure(self) -> EventInfrastructurePort:
        return self

    def names(self) -> RouteNames:
        return RouteNames(bus="shop", rule="capture", queue="orders", dead_letter_queue="dead-orders")


class _Refusing(_Route):
    """A route whose removal is refused at the call of that number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        removed = super().remove(force=force, archive=archive)
        if len(self.asked) == self._number:
            raise InfrastructureError("the queue holds an event. Nothing was removed.")
        return removed


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandOn:
    return CommandOn(teardown, monkeypatch, capsys)


def test_it_asks_first_and_says_what_was_removed_and_left(run: CommandOn) -> None:
    route = _Route()

    told = run(route, answer="y\n")

    assert told.code == 0
    assert told.out == (
        "Remove rule capture of the bus shop, queues orders and dead-orders? [y/N]: "
        "target             removed   orders\n"
        "rule               missing   capture\n"
        "bus                left      shop  (others may use it)\n"
    )
    assert route.asked == [(False, False)]


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("", 2)])
def test_without_a_yes_nothing_is_removed(run: CommandOn, answer: str, code: int) -> None:
    route = _Route()

    told = run(route, answer=answer)

    assert told.code == code
    assert "Nothing was done." in told.err
    assert route.asked == []


def test_what_is_lost_is_in_the_question(run: CommandOn) -> None:
    route = _Route()

    told = run(route, "--force", "--archive", answer="y\n")

    question = told.out.partition("?")[0]
    assert "the archive meeting-transcripts-archive with every event in it" in question
    assert question.endswith("with the messages in them")
    assert route.asked == [(True, True)]


def test_scripts_are_not_asked_and_get_json(run: CommandOn) -> None:
    told = run(_Route(), "--yes", "--json")

    assert told.code == 0
    assert json.loads(told.out) == PLACE_KEYS | {
        "ok": True,
        "problem": None,
        "resources": [
            {"resource": "target", "name": "orders", "status": "removed", "reason": None},
            {"resource": "rule", "name": "capture", "status": "missing", "reason": None},
            {"resource": "bus", "name": "shop", "status": "left", "reason": "others may use it"},
        ],
    }


def test_machines_that_cannot_be_asked_must_say_yes(run: CommandOn) -> None:
    route = _Route()

    assert run(route, "--json", answer="y\n").code == 2

    assert route.asked == []


def test_each_kind_of_event_has_a_route_to_remove(run: CommandOn) -> None:
    route = _Route()

    told = run(route, "--kinds", "failed,completed", answer="y\n")

    question, _, removed = told.out.partition(" [y/N]: ")
    assert question.count("Remove rule capture of the bus shop, queues orders and dead-orders?") == 2
    assert [line for line in removed.splitlines() if line.endswith(":")] == [
        "BatchProcessingCompleted:",
        "BatchProcessingFailed:",
    ]
    assert route.asked == [(False, False)] * 2


def test_a_refusal_is_told_after_what_was_removed_before_and_ends_the_command(run: CommandOn) -> None:
    route = _Refusing(2)

    told = run(route, "--kinds", "completed,failed,erased", "--yes")

    assert told.code == 1
    assert told.out.splitlines()[:2] == ["BatchProcessingCompleted:", "target             removed   orders"]
    assert told.err.endswith(
        "Error: BatchProcessingFailed: the queue holds an event. Nothing was removed.\n"
        "Not tried: TranscriptErased\n"
    )
    assert len(route.asked) == 2


def test_machines_are_told_what_was_removed_before_a_refusal(run: CommandOn) -> None:
    told = run(_Refusing(2), "--kinds", "completed,failed,erased", "--yes", "--json")

    document = json.loads(told.out)
    assert told.code == 1
    assert (document["ok"], document["problem"], len(document["resources"])) == (False, None, 3)
    assert document["failed"] == {
        "ok": False,
        "problem": "the queue holds an event. Nothing was removed.",
        "resources": [],
    }
    assert "erased" not in document


def test_a_refusal_before_anything_was_removed_is_an_error(run: CommandOn) -> None:
    told = run(_Refusing(1), "--kinds", "completed,failed", "--yes", "--json")

    assert told.code == 1
    assert told.error["detail"] == "the queue holds an event. Nothing was removed."
