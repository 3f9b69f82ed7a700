"""`transcripts dlq`: output, effects on the queues, and exit codes."""

import itertools
import json
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from domain.model.errors import InfrastructureError
from tests.support.harness.dead_letter_commands import Shop, open_shop
from tests.support.harness.dead_letters import BESIDE, SPOKEN, UNDELIVERED, an_envelope
from tests.support.samples.factories import an_event

HOSTILE = "\x1b[2J\u202e[red]evil\r\n\0\u2066"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    return open_shop(monkeypatch, capsys)


def test_a_list_tells_why_each_is_there_and_no_text(shop: Shop) -> None:
    event = an_event(raw_transcript=SPOKEN)
    good, broken = shop.ground.fill(an_envelope(event), an_envelope(detail={"user_id": SPOKEN}))
    shop.ground.dead_letters.send(an_envelope(event), BESIDE, UNDELIVERED)

    code, out, _ = shop.run("list")

    assert code == 0
    first, second, third, summary = out.splitlines()
    assert good in first
    assert str(event.tenant_id) in first
    assert first.endswith("received once")
    assert broken in second
    assert second.endswith("received once; breaks the contract at $.detail.version: "
                           "Unable to extract tag using discriminator 'version'")  # fmt: skip
    assert third.endswith(
        "never reached the queue after 185 retries, MaximumRetryAttempts: NO_PERMISSIONS: not authorised"
    )
    assert summary == "3 dead letters"
    assert SPOKEN not in out


def test_machines_get_the_same(shop: Shop) -> None:
    event = an_event()
    (message_id,) = shop.ground.fill(an_envelope(event, source="com.other"))

    told = shop.told("list")

    assert told["counts"] == {"waiting": 1, "in_flight": 0}
    assert told["dead_letters"] == [
        {
            "id": message_id,
            "tenant_id": str(event.tenant_id),
            "interaction_id": str(event.interaction_id),
            "version": "1.0",
            "sent_at": "1970-01-01T00:16:40+00:00",
            "receive_count": 1,
            "size": len(an_envelope(event, source="com.other")),
            "undelivered": None,
            "problems": [{"place": "$.source", "what": "is not com.yourapp.transcription"}],
        }
    ]


def test_a_list_leaves_messages_as_they_were(shop: Shop) -> None:
    shop.ground.fill_with_events(25)

    assert shop.run("list")[1].splitlines()[-1] == "25 dead letters"
    assert shop.run("list", "--limit", "7")[1].endswith("7 dead letters; there may be more: see --limit\n")
    assert shop.ground.dead_letters.depth() == (25, 0)


def test_a_list_says_what_somebody_else_has(shop: Shop) -> None:
    shop.ground.fill("a")
    shop.ground.dead_letters.receive(1, visibility_timeout=60)

    assert shop.run("list")[1] == "0 dead letters; about 1 are in flight at another reader\n"


def test_a_tenant_sees_its_own_alone(shop: Shop) -> None:
    mine = uuid4()
    shop.ground.fill_with_events(2, mine)
    shop.ground.fill_with_events(3)

    assert len(shop.told("list", "--tenant", mine)["dead_letters"]) == 2
    assert shop.run("export", "--tenant", mine)[1].count("\n") == 2
    assert shop.told("list", "--tenant", uuid4())["dead_letters"] == []


@pytest.mark.parametrize("body", [HOSTILE, json.dumps(HOSTILE), an_envelope(detail_type=HOSTILE)])
def test_no_message_can_steer_the_terminal(shop: Shop, body: str) -> None:
    (message_id,) = shop.ground.fill(body)
    shop.ground.dead_letters.send(body, BESIDE, UNDELIVERED._replace(code=HOSTILE, message=HOSTILE))

    told = [
        shop.run("list"),
        shop.run("list", "--json"),
        shop.run("show", message_id, "--with-body"),
        shop.run("show", message_id, "--with-body", "--json"),
        shop.run("export"),
        shop.run("show", HOSTILE.replace("\0", "")),
    ]

    text = "".join(out + err for _, out, err in told)
    assert not {"\x1b", "\u202e", "\u2066", "\r", "\0"} & set(text)


def test_a_key_of_a_message_cannot_steer_the_terminal(shop: Shop) -> None:
    event = json.loads(an_envelope())
    event["detail"][HOSTILE] = 1
    shop.ground.fill(json.dumps(event))

    out = shop.run("list")[1]

    assert "$.detail[" in out
    assert not {"\x1b", "\u202e", "\r", "\0"} & set(out)


def test_a_message_of_the_largest_size_is_listed_and_moved(shop: Shop) -> None:
    shop.ground.fill("x" * 2**20, "y" * 2**18)

    assert [letter["size"] for letter in shop.told("list")["dead_letters"]] == [2**20, 2**18]
    assert shop.told("redrive", "--all")["moved"] == 2


def test_one_is_shown_with_its_text_only_where_that_is_asked_for(shop: Shop) -> None:
    event = an_event(raw_transcript=SPOKEN)
    (message_id,) = shop.ground.fill(an_envelope(event))

    _, without, _ = shop.run("show", message_id)
    _, with_body, _ = shop.run("show", event.interaction_id, "--with-body")

    assert SPOKEN not in without
    assert f"id               {message_id}\n" in without
    assert "why              received once\ncontract         kept\n" in without
    assert SPOKEN in with_body
    assert "message" not in shop.told("show", message_id)
    assert SPOKEN in shop.told("show", message_id, "--with-body")["message"]["body"]


@pytest.mark.parametrize(
    "command", [("show", "x"), ("redrive", "--id", "x"), ("archive", "/nowhere/at/all", "--id", "x")]
)
def test_an_unknown_message_exits_1(shop: Shop, command: tuple[str, ...]) -> None:
    shop.ground.fill("a")

    code, out, err = shop.run(*command)

    assert (code, out) == (1, "")
    assert err == "Error: The dead-letter queue has no message x, or another reader has received it.\n"
    assert shop.ground.dead_letters.depth() == (1, 0)


def test_an_export_holds_whole_messages(shop: Shop, tmp_path: Path) -> None:
    bodies = [an_envelope(), "Grüße \u202e \0"]
    shop.ground.fill(*bodies)

    _, out, _ = shop.run("export")
    shop.run("export", "--output", tmp_path / "letters.jsonl")

    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["body"] for line in lines] == bodies
    assert lines[0]["attributes"]["named"]["raw"] == {"type": "Binary", "text": None, "binary": "AP8="}
    exported = (tmp_path / "letters.jsonl").read_text(encoding="ascii").splitlines()
    assert [json.loads(line)["body"] for line in exported] == bodies
    assert shop.ground.dead_letters.depth() == (2, 0)


def test_an_export_that_fails_leaves_no_file_and_nothing_hidden(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill_with_events(25)
    rounds = itertools.count()

    def expire() -> None:
        if next(rounds) == 1:
            raise InfrastructureError("ExpiredToken")

    shop.ground.dead_letters.before["receive"] = expire

    code, _, err = shop.run("export", "--output", tmp_path / "letters.jsonl")

    assert (code, err) == (1, "Error: ExpiredToken\n")
    assert list(tmp_path.iterdir()) == []
    assert shop.ground.dead_letters.depth() == (25, 0)


def test_an_export_to_nowhere_exits_1_and_leaves_nothing_hidden(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill("a")

    code, _, err = shop.run("export", "--output", tmp_path / "nowhere" / "letters.jsonl")

    assert code == 1
    assert "No such file or directory" in err
    assert shop.ground.dead_letters.depth() == (1, 0)


@pytest.mark.parametrize("command", [("list",), ("export",)])
def test_what_a_full_disk_did_not_take_is_released(
    shop: Shop, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ground.fill_with_events(25)

    with Path("/dev/full").open("w", buffering=1, encoding="ascii") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, _, err = shop.run(*command)

    assert (code, err) == (1, "Error: The output cannot be written: No space left on device\n")
    assert shop.ground.dead_letters.depth() == (25, 0)


def test_dead_letters_are_archived_and_put_back(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill_with_events(12)
    before = shop.ground.dead_letters.bodies()

    assert shop.run("archive", tmp_path / "letters") == (0, "12 archived\n", "")
    assert shop.ground.dead_letters.bodies() == []
    assert len(list((tmp_path / "letters").iterdir())) == 12
    assert shop.run("restore", tmp_path / "letters") == (0, "12 sent to the queue\n", "")
    assert shop.ground.queue.bodies() == before


def test_an_archive_that_cannot_be_written_deletes_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.ground.fill_with_events(3)
    (tmp_path / "file").touch()

    code, out, err = shop.run("archive", tmp_path / "file")

    assert (code, out) == (1, "0 archived\n")
    assert err.startswith(f"Error: {tmp_path}/file/")
    assert shop.ground.dead_letters.depth() == (3, 0)


@pytest.mark.parametrize("command", ["archive", "restore"])
@pytest.mark.parametrize("place", ["s3://", "s3:///prefix", "s3://UPPER/x", "s3://a"])
def test_a_place_in_s3_that_is_none_exits_2(shop: Shop, command: str, place: str) -> None:
    code, _, err = shop.run(command, place)

    assert code == 2
    assert err == f"Error: {place!r} is not an S3 address, such as s3://my-bucket/dead-letters\n"


def test_an_archive_that_is_not_there_exits_1(shop: Shop, tmp_path: Path) -> None:
    code, _, err = shop.run("restore", tmp_path / "nowhere")

    assert (code, err) == (1, f"Error: {tmp_path}/nowhere cannot be read: No such file or directory\n")


def test_a_redrive_says_what_it_moved_and_what_it_left(shop: Shop) -> None:
    shop.ground.move_task.refusal = InfrastructureError("UnsupportedOperation")
    shop.ground.fill_with_events(12)
    shop.ground.queue.after["resend"] = shop.ground.fail_what_waits

    assert shop.run("redrive", "--all") == (
        0,
        "12 moved to the queue\n12 arrived after the start, or came straight back, and were left alone\n",
        "",
    )


def test_a_redrive_that_fails_in_part_exits_1(shop: Shop) -> None:
    (message_id, _) = shop.ground.fill("a", "b")
    shop.ground.queue.refuse_copies = 1

    code, out, err = shop.run("redrive", "--all", "--max", "5")

    assert code == 1
    assert out == "1 moved to the queue\n1 could not be moved and stay in the dead-letter queue\n"
    assert err == f"Error: {message_id} could not be copied: AccessDenied\n"


def test_machines_are_told_of_a_failure(shop: Shop) -> None:
    shop.ground.fill("a")
    shop.ground.queue.refuse_copies = 1

    code, out, _ = shop.run("redrive", "--all", "--max", "5", "--json")

    told = json.loads(out)
    assert (code, told["ok"], told["moved"], told["failed"]) == (1, False, 0, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--max", "5"),
        ("--all", "--id", "x"),
        ("--all", "--tenant", str(uuid4())),
        ("--id", "x", "--tenant", str(uuid4())),
        ("--all", "--max", "0"),
        ("--tenant", "someone"),
    ],
)
def test_a_redrive_that_does_not_say_what_it_means_exits_2(shop: Shop, arguments: tuple[str, ...]) -> None:
    shop.ground.fill("a")

    assert shop.run("redrive", *arguments)[0] == 2
    assert shop.ground.dead_letters.counts() == {"a": 0}


def test_nothing_is_purged_without_a_yes(shop: Shop) -> None:
    shop.ground.fill_with_events(3)

    code, _, err = shop.run("purge")

    assert code == 2
    assert "About 3 dead letters would be deleted permanently." in err
    assert "dlq archive" in err
    assert shop.ground.dead_letters.depth() == (3, 0)


def test_a_purge_says_how_many_went(shop: Shop) -> None:
    shop.ground.fill_with_events(12)

    assert shop.run("purge", "--yes") == (0, "12 deleted\n", "")
    assert shop.told("purge", "--yes")["messages"] == 0


def test_one_queue_cannot_be_both(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_NAME", "meeting-transcripts-dlq")

    code, _, err = shop.run("redrive", "--all")

    assert code == 2
    assert "must differ from QUEUE_NAME" in err


def test_a_dead_letter_queue_that_moves_messages_on_is_not_looked_at(shop: Shop) -> None:
    shop.ground.fill("a")
    shop.ground.dead_letters._dead_letters = shop.ground.queue

    code, _, err = shop.run("list")

    assert code == 1
    assert "moves messages on after 3 receives: remove that policy first" in err


def test_failed_events_have_a_dead_letter_queue_of_their_own(shop: Shop) -> None:
    assert shop.run("list", "--kind", "failed").code == 0
    assert shop.run("list", "--kind", "cancelled").code == 2
