"""Dead letters over HTTP: listed without bodies, shown on request, and redriven."""

import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.files.archive import FolderArchive
from domain.model.erasures import Erasure
from domain.model.events.erased import ErasureCause
from domain.model.identity import Interaction
from tests.support.harness.dead_letters import SPOKEN, an_envelope
from tests.support.samples.factories import an_event
from tests.unit.entrypoints.api.operations.conftest import Site


def test_the_list_tells_why_each_is_there_and_no_text(site: Site) -> None:
    event = an_event(raw_transcript=SPOKEN)
    good, broken = site.dead_letter(an_envelope(event)), site.dead_letter("not json")

    answer = site.get("/dead-letters")

    assert answer.json()["counts"] == {"waiting": 2, "in_flight": 0}
    letters = {each["id"]: each for each in answer.json()["dead_letters"]}
    assert letters[good]["tenant_id"] == str(event.tenant_id)
    assert letters[good]["problems"] == []
    assert letters[broken]["problems"][0]["place"] == "$"
    assert SPOKEN not in answer.text


def test_the_list_may_be_of_one_tenant_and_releases_what_it_saw(site: Site) -> None:
    event = an_event()
    site.dead_letter(an_envelope())
    wanted = site.dead_letter(an_envelope(event))

    for _ in range(2):
        answer = site.get("/dead-letters", tenant_id=str(event.tenant_id)).json()
        assert [each["id"] for each in answer["dead_letters"]] == [wanted]


def test_a_body_is_shown_on_request_and_the_log_says_to_whom(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    body = an_envelope()
    message_id = site.dead_letter(body)

    with caplog.at_level(logging.INFO):
        answer = site.get(f"/dead-letters/{message_id}")

    assert answer.json()["body"] == body
    assert answer.headers["cache-control"] == "no-store"
    assert any(each.message == "operator read the body of a dead letter" for each in caplog.records)
    assert SPOKEN not in caplog.text


def test_an_unknown_dead_letter_is_not_found(site: Site) -> None:
    answer = site.get(f"/dead-letters/{uuid4()}")

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "dead-letter-not-found")


def test_one_dead_letter_is_moved_back_and_the_others_stay(site: Site) -> None:
    body = an_envelope()
    message_id, other = site.dead_letter(body), site.dead_letter(an_envelope())

    answer = site.post("/dead-letters/redrive", id=message_id)

    assert (answer.json()["ok"], answer.json()["moved"]) == (True, 1)
    assert site.delivered() == [body]
    assert [each["id"] for each in site.get("/dead-letters").json()["dead_letters"]] == [other]


def test_a_transcript_that_was_erased_after_an_earlier_redrive_is_not_sent_again(site: Site) -> None:
    site.dead_letter(an_envelope())
    assert site.post("/dead-letters/redrive", all="true").json()["moved"] == 1
    site.delivered()
    gone = an_event()
    site.container.erasures().erase(
        Interaction(gone.interaction_id, gone.tenant_id, None),
        Erasure("operator", ErasureCause.REQUEST, announces=False),
    )
    site.dead_letter(an_envelope(gone))

    answer = site.post("/dead-letters/redrive", all="true").json()

    assert (answer["moved"], answer["erased"]) == (0, 1)
    assert site.delivered() == []


def test_all_dead_letters_are_moved_back_up_to_the_limit(site: Site) -> None:
    for _ in range(3):
        site.dead_letter(an_envelope())

    assert site.post("/dead-letters/redrive", all="true", limit="2").json()["moved"] == 2
    assert len(site.get("/dead-letters").json()["dead_letters"]) == 1


@pytest.mark.parametrize(
    "query",
    [{}, {"all": "true", "id": "a"}, {"all": "perhaps"}, {"tenant_id": "acme"}, {"all": "true", "kind": "x"}],
    ids=str,
)
def test_what_is_to_be_moved_must_be_said_once(site: Site, query: dict[str, Any]) -> None:
    answer = site.post("/dead-letters/redrive", **query)

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (400, "invalid-parameter")


def test_a_queue_that_is_gone_is_named(site: Site) -> None:
    site.sqs.delete_queue(QueueUrl=site.queue_url(site.container.settings().dlq_name))

    answer = site.get("/dead-letters")

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (502, "infrastructure")
    assert site.container.settings().dlq_name in answer.json()["detail"]


def test_dead_letters_are_moved_to_the_archive_of_the_settings(
    site: Site, archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = an_envelope()
    message_id, other = site.dead_letter(body), site.dead_letter(an_envelope())

    with caplog.at_level(logging.INFO):
        answer = site.post("/dead-letters/archive", id=message_id)

    assert answer.json() == {
        "ok": True,
        "archived": 1,
        "undeleted": 0,
        "skipped": 0,
        "problem": None,
        "place": str(archive),
    }
    (kept,) = FolderArchive(archive).messages()
    assert (kept.id, kept.body) == (message_id, body)
    assert [each["id"] for each in site.get("/dead-letters").json()["dead_letters"]] == [other]
    assert any(each.message == "operator archived dead letters" for each in caplog.records)


def test_without_an_archive_the_dead_letters_stay(site_without_archive: Site) -> None:
    message_id = site_without_archive.dead_letter(an_envelope())

    answer = site_without_archive.post("/dead-letters/archive", all="true")

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "no-archive")
    assert "DLQ_ARCHIVE" in answer.json()["detail"]
    listed = site_without_archive.get("/dead-letters").json()["dead_letters"]
    assert [each["id"] for each in listed] == [message_id]
