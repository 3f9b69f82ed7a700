"""`transcripts dlq` after Ctrl-C: output, advice, and no lost message."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.model.errors import InfrastructureError
from domain.services.dead_letters.scan import VISIBILITY_TIMEOUT
from entrypoints.cli.commands import dlq
from tests.support.doubles.queue import BreakingQueue
from tests.support.harness.dead_letter_commands import Shop, open_shop
from tests.support.harness.dead_letters import Ground


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    return open_shop(monkeypatch, capsys)


def strike(queue: BreakingQueue, when: str, operation: str, number: int) -> None:
    """Raise Ctrl-C before or after the call of that number."""
    calls = itertools.count(1)

    def interrupt() -> None:
        if next(calls) == number:
            raise KeyboardInterrupt

    hooks: dict[str, Callable[[], None]] = queue.before if when == "before" else queue.after
    hooks[operation] = interrupt


def archived(folder: Path) -> set[str]:
    files = folder.iterdir() if folder.is_dir() else ()
    return {json.loads(file.read_text(encoding="utf-8"))["body"] for file in files}


def everything(ground: Ground, folder: Path) -> set[str]:
    return {*ground.dead_letters.bodies(), *ground.queue.bodies(), *archived(folder)}


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    ("side", "when", "operation"),
    [("dead_letters", "before", "receive"), ("dead_letters", "after", "receive"),
     ("dead_letters", "before", "delete"), ("dead_letters", "after", "delete"),
     ("queue", "before", "resend"), ("queue", "after", "resend")],
)  # fmt: skip
@pytest.mark.parametrize("command", ["archive", "redrive"])
def test_nothing_is_lost_and_the_same_command_does_the_rest(
    shop: Shop, tmp_path: Path, command: str, side: str, when: str, operation: str, number: int
) -> None:
    shop.ground.move_task.refusal = InfrastructureError("UnsupportedOperation")
    shop.ground.fill_with_events(25)
    before = set(shop.ground.dead_letters.bodies())
    strike(getattr(shop.ground, side), when, operation, number)
    call = ("archive", tmp_path / "letters") if command == "archive" else ("redrive", "--all")

    code, out, err = shop.run(*call)

    assert everything(shop.ground, tmp_path / "letters") == before
    if code:  # it was struck
        assert code == 130
        assert err == f"Error: it was interrupted\n{dlq.SAME_AGAIN}\n"
        assert out.splitlines()[0].endswith(("archived", "moved to the queue"))
        shop.ground.clock.advance(VISIBILITY_TIMEOUT + 1)  # what was on its way is visible again
        assert shop.run(*call)[0] == 0
    assert shop.ground.dead_letters.bodies() == []
    assert everything(shop.ground, tmp_path / "letters") == before


def test_what_may_not_have_been_deleted_is_told(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill_with_events(25)
    strike(shop.ground.dead_letters, "before", "delete", 2)

    code, out, _ = shop.run("archive", tmp_path / "letters")

    assert (code, out) == (130, "20 archived\n10 of them may still be in the dead-letter queue\n")


def test_a_purge_says_how_far_it_came(shop: Shop) -> None:
    shop.ground.fill_with_events(25)
    strike(shop.ground.dead_letters, "before", "receive", 2)

    code, out, err = shop.run("purge", "--yes")

    assert (code, out) == (130, "10 deleted\n")
    assert err == f"Error: it was interrupted\n{dlq.SAME_AGAIN}\n"
    assert shop.ground.dead_letters.depth() == (15, 0)


@pytest.mark.parametrize(("number", "sent"), [(1, 0), (3, 20)])
def test_a_restore_says_how_far_it_came_and_leaves_the_archive(
    shop: Shop, tmp_path: Path, number: int, sent: int
) -> None:
    shop.ground.fill_with_events(25)
    shop.run("archive", tmp_path / "letters")
    strike(shop.ground.queue, "before", "resend", number)

    code, out, err = shop.run("restore", tmp_path / "letters")

    assert (code, out) == (130, f"{sent} sent to the queue\n")
    assert err == f"Error: it was interrupted\n{dlq.FROM_THE_FIRST}\n"
    assert len(archived(tmp_path / "letters")) == 25
    assert len(shop.ground.queue.bodies()) == sent


@pytest.mark.parametrize("as_json", [False, True])
def test_a_restore_that_sends_all_but_one_tells_both_and_exits_1(
    shop: Shop, tmp_path: Path, *, as_json: bool
) -> None:
    shop.ground.fill_with_events(25)
    shop.run("archive", tmp_path / "letters")
    shop.ground.queue.refuse_copies = 1

    code, out, err = shop.run("restore", tmp_path / "letters", *(["--json"] if as_json else []))

    assert code == 1
    if as_json:
        told = json.loads(out)
        assert (told["ok"], told["messages"], told["failed"]) == (False, 24, 1)
        assert told["problem"].endswith(": AccessDenied")
    else:
        assert out == "24 sent to the queue\n1 could not be sent; the archive keeps them\n"
        assert err.endswith(": AccessDenied\n")


def test_machines_are_told_as_well(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill_with_events(25)
    strike(shop.ground.dead_letters, "before", "receive", 2)

    code, out, err = shop.run("archive", tmp_path / "letters", "--json")

    told = json.loads(out)
    assert (code, told["ok"], told["interrupted"], told["messages"]) == (130, False, True, 10)
    assert err == f"{dlq.SAME_AGAIN}\n"


def test_an_export_leaves_no_file_and_nothing_hidden(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill_with_events(25)
    strike(shop.ground.dead_letters, "before", "receive", 2)

    code, out, err = shop.run("export", "--output", tmp_path / "letters.jsonl")

    assert (code, out) == (130, "")
    assert err == (
        f"Error: It was interrupted: {tmp_path}/letters.jsonl was not written. "
        "The queue keeps all messages.\n"
    )
    assert list(tmp_path.iterdir()) == []
    assert shop.ground.dead_letters.depth() == (25, 0)


@pytest.mark.parametrize("command", [("list",), ("list", "--json"), ("show", "x")])
def test_a_look_that_is_interrupted_leaves_nothing_hidden(shop: Shop, command: tuple[str, ...]) -> None:
    shop.ground.fill_with_events(25)
    strike(shop.ground.dead_letters, "before", "receive", 2)

    code, _, err = shop.run(*command)

    assert (code, err) == (130, "\nError: Interrupted.\n")
    assert shop.ground.dead_letters.depth() == (25, 0)
