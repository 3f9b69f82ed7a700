"""The outbox over HTTP: counts, events without texts, and another try."""

import logging
from typing import Any

import pytest

from domain.model.outbox import OutboxState, Rejected
from tests.support.samples.factories import an_event
from tests.unit.entrypoints.api.operations.conftest import Site

ID = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
SPOKEN = "the merger is on friday"
REASON = "the event has 2000000 bytes, and the limit is 1000000"


def rejected(site: Site) -> Any:
    """Park an event in the outbox."""
    outbox, event = site.container.outbox(), an_event(raw_transcript=SPOKEN)
    lease = outbox.add(event, lease_seconds=60)
    outbox.record([Rejected(lease, REASON)])
    return event


def test_the_list_has_counts_and_reasons_and_no_text(site: Site) -> None:
    event = rejected(site)

    answer = site.get("/outbox")

    assert answer.status_code == 200
    assert answer.json()["counts"] == {
        "waiting": 0,
        "rejected": 1,
        "published": 0,
        "oldest_waiting_seconds": 0.0,
    }
    (shown,) = answer.json()["events"]
    assert (shown["interaction_id"], shown["tenant_id"]) == (str(event.interaction_id), str(event.tenant_id))
    assert (shown["state"], shown["reason"], shown["due_at"]) == ("rejected", REASON, None)
    assert SPOKEN not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_list_may_be_of_one_state(site: Site) -> None:
    rejected(site)

    assert len(site.get("/outbox", state="rejected").json()["events"]) == 1
    assert site.get("/outbox", state="waiting").json()["events"] == []


def test_a_rejected_event_waits_again_and_the_log_names_the_operator(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    event = rejected(site)
    with caplog.at_level(logging.INFO):
        answer = site.post("/outbox/retry", {"X-User-ID": "olga"}, interaction_id=str(event.interaction_id))

    assert (answer.status_code, answer.json()) == (200, {"events": 1})
    record = site.container.outbox().find(event.interaction_id)
    assert record
    assert record.state is not OutboxState.REJECTED
    (line,) = [each for each in caplog.records if each.message == "operator retried events of the outbox"]
    assert (vars(line)["operator"], vars(line)["events"]) == ("olga", 1)


def test_all_rejected_events_wait_again(site: Site) -> None:
    rejected(site)
    rejected(site)

    assert site.post("/outbox/retry", all_rejected="true").json() == {"events": 2}


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/outbox", {"state": "lost"}, "state"),
        ("/outbox", {"limit": "501"}, "limit"),
        ("/outbox", {"limit": "few"}, "limit"),
        ("/outbox/retry", {}, "all_rejected"),
        ("/outbox/retry", {"all_rejected": "true", "interaction_id": ID}, "all_rejected"),
        ("/outbox/retry", {"all_rejected": "yes"}, "all_rejected"),
        ("/outbox/retry", {"interaction_id": "x"}, "interaction_id"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named(site: Site, path: str, query: dict[str, Any], name: str) -> None:
    answer = site.post(path, **query) if path.endswith("retry") else site.get(path, **query)

    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":invalid-parameter")
    assert repr(name) in answer.json()["detail"]
