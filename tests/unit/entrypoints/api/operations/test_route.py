"""The route over HTTP: its resources and their drift, and a test event through it."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.access import FromPeer
from tests.support.harness.service import container_for
from tests.unit.entrypoints.api.operations.conftest import HERE, Site


def test_a_sound_route_is_shown_with_its_resources_and_queues(site: Site) -> None:
    site.dead_letter("not json")

    answer = site.get("/route").json()

    assert (answer["transport"], answer["ok"]) == ("eventbridge", True)
    (route,) = answer["routes"]
    loads = {each["component"]: each["load"] for each in route["resources"] if each["load"]}
    assert {name: load["waiting"] for name, load in loads.items()} == {"queue": 0, "dead-letter queue": 1}


def test_drift_and_missing_resources_are_named(site: Site) -> None:
    url = site.queue_url(site.container.settings().queue_name)
    site.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    site.sqs.delete_queue(QueueUrl=site.queue_url(site.container.settings().dlq_name))

    (route,) = site.get("/route").json()["routes"]

    assert not route["ok"]
    resources = {each["component"]: each for each in route["resources"]}
    assert resources["dead-letter queue"]["exists"] is False
    drift = {each["attribute"]: each["found"] for each in resources["queue"]["differences"]}
    assert drift["VisibilityTimeout"] == "7"


def test_a_test_event_is_sent_through_the_route(site: Site) -> None:
    answer = site.post("/route/verify", timeout="20")

    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["arrived"], answer.json()["findings"]) == (True, True, [])


def test_the_reason_why_a_test_event_does_not_arrive_is_told(site: Site) -> None:
    rule, bus = site.container.settings().rule_name, site.container.buses()
    targets = bus.list_targets_by_rule(Rule=rule)["Targets"]
    bus.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])

    answer = site.post("/route/verify", timeout="1").json()

    assert (answer["ok"], answer["arrived"]) == (False, False)
    assert any(each["component"] == "target" and each["remedy"] for each in answer["findings"])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"kind": "lost"}, "kind"),
        ({"kind": "failed"}, "kind"),
        ({"timeout": "0"}, "timeout"),
        ({"timeout": "301"}, "timeout"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named(site: Site, query: dict[str, Any], name: str) -> None:
    answer = site.post("/route/verify", **query)

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (400, "invalid-parameter")
    assert repr(name) in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_a_page_of_another_site_may_not_act(site: Site, headers: dict[str, str]) -> None:
    answer = site.post("/outbox/retry", headers, all_rejected="true")

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "access-denied")


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost:8000"}, {}],
    ids=str,
)
def test_a_page_of_the_service_and_a_program_may_act(site: Site, headers: dict[str, str]) -> None:
    assert site.post("/outbox/retry", headers, all_rejected="true").status_code == 200


def test_a_transport_without_a_route_has_none(tmp_path: Path) -> None:
    app = FromPeer(create_app(container_for(tmp_path / "spool", FixedTranscriber())))
    app.peer = "127.0.0.1"
    with TestClient(app, raise_server_exceptions=False) as api:
        shown = api.get("/operations/route", headers=HERE)
        refused = api.post("/operations/route/verify", headers=HERE)

    assert shown.json() == {"transport": "memory", "ok": True, "routes": []}
    assert refused.status_code == 502
    assert "memory, which has no route" in refused.json()["detail"]


def test_a_caller_on_another_machine_may_not_operate_a_service_without_authentication(site: Site) -> None:
    answer = site.api.get("/operations/outbox", headers=HERE | {"X-Forwarded-For": "10.1.0.9"})

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "insufficient-scope")
