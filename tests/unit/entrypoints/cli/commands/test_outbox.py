"""`transcripts outbox`: what it shows and hides, what it changes, and its exit codes."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.outbox import EventLease, OutboxRecord, OutboxState, Outcome, Postponed, Published, Rejected
from entrypoints.cli.views.outbox import MAX_REASON, age, as_line
from tests.support.harness.command_line import Caller, Told
from tests.support.samples.factories import A_MOMENT, a_failure, an_erasure, an_event

SPOKEN = "the merger is on friday"
STEERING = "\x1b[2J\u202e[red]evil\r\n"


class Shop(NamedTuple):
    """An outbox, and what the command answers about it."""

    outbox: SqlOutbox
    capsys: pytest.CaptureFixture[str]

    def add(self, outcome: type[Outcome] | None = None, *rest: Any) -> EventLease:
        """Keep an event; with an outcome, lease and settle it."""
        event = an_event(raw_transcript=SPOKEN, cleaned_transcript=SPOKEN + "!")
        lease = self.outbox.add(event, lease_seconds=60 if outcome else 0)
        if outcome:
            assert self.outbox.record([outcome(lease, *rest)]) == 1
        return lease

    def state(self, lease: EventLease) -> OutboxState | None:
        record = self.outbox.find(lease.interaction_id)
        return record.state if record else None

    def run(self, *arguments: object) -> Told:
        """Exit code, stdout, stderr."""
        return Caller(self.capsys)("outbox", *map(str, arguments))

    def told(self, *arguments: object) -> dict[str, Any]:
        """The JSON of a command that works."""
        return self.run(*arguments, "--json").answer


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path}/transcripts.db"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    database = prepare_database(url)
    yield Shop(SqlOutbox(database), capsys)
    database.close()


def test_a_list_tells_state_attempts_and_reason_and_no_text(shop: Shop) -> None:
    waiting = shop.add(Postponed, 500.0, "the bus is away")
    parked = shop.add(Rejected, "MalformedDetail")
    published = shop.add(Published, "receipt")

    code, out, _ = shop.run("list")

    assert code == 0
    *lines, summary = out.splitlines()
    of = {line.split()[0]: line for line in lines}
    assert str(waiting.event.tenant_id) in of[str(waiting.interaction_id)]
    assert "waiting" in of[str(waiting.interaction_id)]
    assert "1 failed  due in 8 min   the bus is away" in of[str(waiting.interaction_id)]
    assert "rejected" in of[str(parked.interaction_id)]
    assert of[str(parked.interaction_id)].endswith("MalformedDetail")
    assert "published" in of[str(published.interaction_id)]
    assert re.fullmatch(r"1 waiting \(the oldest for \d+ s\), 1 rejected, 1 published", summary)
    assert SPOKEN not in out


def test_an_empty_outbox_says_so(shop: Shop) -> None:
    assert shop.run("list") == (0, "0 waiting, 0 rejected, 0 published\n", "")


def test_a_list_can_be_of_one_state_and_has_an_end(shop: Shop) -> None:
    parked = [shop.add(Rejected, "MalformedDetail") for _ in range(3)]
    shop.add()

    told = shop.told("list", "--state", "rejected", "--limit", "2")

    ids = [str(lease.interaction_id) for lease in parked]
    assert [event["interaction_id"] for event in told["events"]] == ids[:0:-1]
    assert told["counts"]["rejected"] == 3


@pytest.mark.parametrize(
    "arguments", [("--state", "lost"), ("--limit", "0"), ("--limit", "many"), ("--tenant", "x")]
)
def test_a_list_that_makes_no_sense_exits_2(shop: Shop, arguments: tuple[str, str]) -> None:
    assert shop.run("list", *arguments)[0] == 2


def test_machines_get_lengths_in_place_of_the_transcripts(shop: Shop) -> None:
    lease = shop.add(Postponed, 0.0, "ThrottlingException")

    told = shop.told("show", lease.interaction_id)

    assert told.keys() == {
        "interaction_id",
        "tenant_id",
        "state",
        "added_at",
        "attempts",
        "due_at",
        "published_at",
        "event_id",
        "reason",
        "event",
    }
    assert (told["state"], told["attempts"], told["reason"]) == ("waiting", 1, "ThrottlingException")
    assert told["event"] == {
        "user_id": "user-7",
        "account_id": "account-9",
        "timestamp": A_MOMENT.isoformat(),
        "raw_transcript_length": len(SPOKEN),
        "cleaned_transcript_length": len(SPOKEN) + 1,
    }


def test_people_see_the_transcripts_only_where_they_ask_for_them(shop: Shop) -> None:
    lease = shop.add()

    _, without, _ = shop.run("show", lease.interaction_id)
    _, with_text, _ = shop.run("show", lease.interaction_id, "--with-text")

    assert SPOKEN not in without
    assert f"raw_transcript_length      {len(SPOKEN)}\n" in without
    assert f"raw_transcript             {SPOKEN}\n" in with_text
    assert shop.told("show", lease.interaction_id, "--with-text")["event"]["raw_transcript"] == SPOKEN


def test_a_published_event_has_its_receipt_and_no_texts(shop: Shop) -> None:
    lease = shop.add(Published, "receipt-1")

    told = shop.told("show", lease.interaction_id, "--with-text")

    assert (told["state"], told["event_id"], told["event"]) == ("published", "receipt-1", None)
    assert told["published_at"]
    assert told["due_at"] is None


def test_texts_that_are_kept_for_some_days_are_shown_only_where_they_are_asked_for(
    shop: Shop, tmp_path: Path
) -> None:
    database = prepare_database(f"sqlite:///{tmp_path}/transcripts.db")
    keeping = shop._replace(outbox=SqlOutbox(database, keep_days=7))
    lease = keeping.add(Published, "receipt-1")
    database.close()

    told = shop.told("show", lease.interaction_id)
    with_text = shop.told("show", lease.interaction_id, "--with-text")

    assert (told["state"], told["event_id"]) == ("published", "receipt-1")
    assert told["event"]["raw_transcript_length"] == len(SPOKEN)
    assert SPOKEN not in str(told) + shop.run("show", lease.interaction_id)[1] + shop.run("list")[1]
    assert with_text["event"]["raw_transcript"] == SPOKEN
    assert shop.run("retry", lease.interaction_id)[:2] == (0, "0 due now\n")


@pytest.mark.parametrize("command", ["show", "retry"])
def test_an_unknown_event_exits_1_and_one_that_is_no_id_exits_2(shop: Shop, command: str) -> None:
    unknown = uuid4()

    assert shop.run(command, unknown) == (1, "", f"Error: The outbox has no event {unknown}.\n")
    assert shop.run(command, "x'; DROP TABLE outbox")[0] == 2


def test_parked_events_wait_again_once_they_are_retried(shop: Shop) -> None:
    parked, other, late = shop.add(Rejected, "x"), shop.add(Rejected, "x"), shop.add(Postponed, 900.0, "x")

    code, out, _ = shop.run("retry", parked.interaction_id, late.interaction_id)

    assert (code, out) == (0, "2 due now\n")
    assert (shop.state(parked), shop.state(other)) == (OutboxState.WAITING, OutboxState.REJECTED)
    assert {lease.interaction_id for lease in shop.outbox.lease_due(10, lease_seconds=60)} == {
        parked.interaction_id,
        late.interaction_id,
    }


def test_one_unknown_event_among_others_changes_none_of_them(shop: Shop) -> None:
    parked = shop.add(Rejected, "x")

    assert shop.run("retry", parked.interaction_id, uuid4())[0] == 1
    assert shop.state(parked) is OutboxState.REJECTED


def test_everything_that_is_parked_can_be_retried_at_once(shop: Shop) -> None:
    parked = [shop.add(Rejected, "x") for _ in range(3)]
    published = shop.add(Published, "receipt")

    assert shop.told("retry", "--all-rejected") == {"events": 3}
    assert {shop.state(lease) for lease in parked} == {OutboxState.WAITING}
    assert shop.state(published) is OutboxState.PUBLISHED


@pytest.mark.parametrize("arguments", [(), ("--all-rejected", uuid4())])
def test_a_retry_names_events_or_all_that_are_parked(shop: Shop, arguments: tuple[object, ...]) -> None:
    parked = shop.add(Rejected, "x")

    code, _, err = shop.run("retry", *arguments)

    assert code == 2
    assert "Give the ids of events or --all-rejected." in err
    assert shop.state(parked) is OutboxState.REJECTED


def test_pruning_forgets_what_was_published_and_nothing_else(shop: Shop) -> None:
    published, parked, waiting = shop.add(Published, "receipt"), shop.add(Rejected, "x"), shop.add()

    assert shop.run("prune", "--older-than", "1", "--yes")[:2] == (0, "0 deleted\n")
    assert shop.run("prune", "--older-than", "0", "--yes")[:2] == (0, "1 deleted\n")

    assert shop.state(published) is None
    assert (shop.state(parked), shop.state(waiting)) == (OutboxState.REJECTED, OutboxState.WAITING)


def test_parked_events_are_pruned_only_where_that_is_asked_for(shop: Shop) -> None:
    parked, waiting = shop.add(Rejected, "x"), shop.add()

    assert shop.told("prune", "--older-than", "0", "--rejected", "--yes") == {"events": 1}
    assert (shop.state(parked), shop.state(waiting)) == (None, OutboxState.WAITING)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--yes",), 2),
        (("--older-than", "-1", "--yes"), 2),
        (("--older-than", "nan", "--yes"), 2),
        (("--older-than", "0"), 2),
        (("--older-than", "0", "--json"), 2),
    ],
)
def test_without_an_age_and_a_yes_nothing_is_forgotten(
    shop: Shop, arguments: tuple[str, ...], code: int
) -> None:
    published = shop.add(Published, "receipt")

    assert shop.run("prune", *arguments)[0] == code
    assert shop.state(published) is OutboxState.PUBLISHED


@pytest.mark.parametrize(("answer", "left"), [("y\n", None), ("n\n", OutboxState.PUBLISHED)])
def test_who_does_not_say_yes_is_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: str, left: OutboxState | None
) -> None:
    published = shop.add(Published, "receipt")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    _, out, _ = shop.run("prune", "--older-than", "0")

    assert out.startswith("Delete these events for good?")
    assert shop.state(published) is left


def test_what_the_database_holds_cannot_steer_the_terminal(shop: Shop) -> None:
    lease = shop.add(Rejected, STEERING)

    out = shop.run("list")[1] + shop.run("show", lease.interaction_id)[1]

    assert out.count("\\x1b[2J\\u202e[red]evil\\r\\n") == 2
    assert not {"\x1b", "\u202e", "\r"} & set(out)


def test_a_long_reason_does_not_break_the_list_and_is_shown_in_full(shop: Shop) -> None:
    lease = shop.add(Rejected, "x" * 500)

    assert shop.run("list")[1].splitlines()[0].endswith("  " + "x" * (MAX_REASON - 1) + "…")
    assert "x" * 500 in shop.run("show", lease.interaction_id)[1]


@pytest.mark.parametrize("command", [("list",), ("show", uuid4()), ("retry", "--all-rejected")])
def test_a_database_that_is_not_there_is_not_made(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere/transcripts.db")

    code, _, err = shop.run(*command)

    assert code == 2
    assert "DATABASE_URL: elsewhere/transcripts.db: No such file or directory" in err
    assert f"counts from the current folder, {tmp_path}" in err
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_is_no_database_exits_1_with_one_line(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letter.db").write_bytes(b"no database " * 500)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/letter.db")

    code, out, err = shop.run("list")

    assert (code, out) == (1, "")
    assert err.startswith("Error: database error: ")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-3.0, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (3 * 86_400, "3 d")],
)
def test_ages_are_told_in_the_largest_whole_unit(seconds: float, told: str) -> None:
    assert age(seconds) == told


def test_a_clock_that_is_behind_the_database_is_no_age_below_nothing() -> None:
    record = OutboxRecord(uuid4(), uuid4(), OutboxState.WAITING, A_MOMENT, attempts=0, due_at=A_MOMENT)

    line = as_line(record, A_MOMENT - timedelta(seconds=90))

    assert "0 s old" in line
    assert line.endswith("due in 1 min")


def test_an_erasure_is_told_apart(shop: Shop) -> None:
    erasure = an_erasure(requested_by="operator:alice")
    shop.outbox.add(erasure)

    assert "[TranscriptErased]" in shop.run("list")[1]
    assert shop.told("show", erasure.interaction_id)["event"]["erasure_requested_by"] == "operator:alice"


def test_a_failed_event_is_told_apart_and_its_reason_is_not_the_reason_of_a_publication(shop: Shop) -> None:
    failure = a_failure(detail="No sound.")
    shop.outbox.add(failure)

    _, out, _ = shop.run("list")
    shown = shop.told("show", failure.interaction_id)

    assert "[BatchProcessingFailed]" in out
    assert shown["reason"] is None
    assert shown["event"]["failure_reason"] == "undecodable-audio"
    assert shown["event"]["failure_detail"] == "No sound."
    assert shown["event"]["failure_retryable"] is False
