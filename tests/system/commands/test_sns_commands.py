"""Commands of the route of a topic as an operator runs them, and events from the outbox to a consumer."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap.container import build_container
from bootstrap.runtime.consumer import build_consumer
from bootstrap.settings import Settings
from domain.model.consuming.received import ReceivedEvent
from domain.model.events.event import BatchProcessingCompleted
from domain.services.consuming.consumer import ConsumerOptions
from ports.event_handler_port import EventHandlerPort
from tests.integration.conftest import Names
from tests.support.harness.installed_command import transcripts
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environ(localstack: str, aws: Callable[..., Any], names: Names, tmp_path: Path) -> dict[str, str]:
    aws("s3").create_bucket(Bucket=names.queue)
    return {
        "AWS_ENDPOINT_URL": localstack,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "EVENT_TRANSPORT": "sns",
        "SNS_TOPIC_NAME": f"topic-{names.queue}",
        "QUEUE_NAME": names.queue,
        "DLQ_NAME": names.dlq,
        "FAILED_QUEUE_NAME": f"{names.queue}-failed",
        "FAILED_DLQ_NAME": f"{names.dlq}-failed",
        "PAYLOAD_BUCKET": names.queue,
        "DATABASE_URL": f"sqlite:///{tmp_path}/transcripts.db",
    }


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    return lambda *arguments: transcripts(*arguments, **environ)


def test_an_operator_finds_drift_mends_it_and_removes_everything(
    run: Run, aws: Callable[..., Any], names: Names, environ: dict[str, str]
) -> None:
    kinds = ("--kinds", "completed,failed")
    planned = json.loads(run("provision", "--dry-run", "--json", *kinds).stdout)
    assert [change["resource"] for change in planned["changes"]] == [
        "dead-letter queue", "queue", "topic", "subscription"
    ]  # fmt: skip
    provisioned = run("provision", "--archive", "1", *kinds)
    assert provisioned.returncode == 0, provisioned.stderr
    assert f"Topic ARN  arn:aws:sns:us-east-1:000000000000:{environ['SNS_TOPIC_NAME']}" in provisioned.stdout
    assert "SNS keeps no events" in provisioned.stderr

    sns = aws("sns")
    found = sns.list_subscriptions()["Subscriptions"]
    (ours,) = (each for each in found if each["Endpoint"].endswith(f":{names.queue}"))
    sns.set_subscription_attributes(
        SubscriptionArn=ours["SubscriptionArn"], AttributeName="RawMessageDelivery", AttributeValue="false"
    )
    status = run("status")
    assert status.returncode == 1
    assert "differs in RawMessageDelivery\n    wanted: true\n    found:  false" in status.stdout
    assert run("verify").returncode == 0, "a subscription without raw delivery works as well"
    repaired = run("provision", "--repair", "--yes", *kinds)
    assert "subscription       mended" in repaired.stdout, repaired.stderr
    assert run("verify", *kinds).returncode == 0

    removed = json.loads(run("teardown", "--yes", "--json", *kinds).stdout)
    outcomes = {part["resource"]: part["status"] for part in removed["resources"]}
    assert outcomes == {
        "subscription": "removed", "topic": "left", "queue": "removed", "dead-letter queue": "removed"
    }  # fmt: skip
    assert {part["status"] for part in removed["failed"]["resources"]} == {"removed"}


def test_replays_and_templates_say_in_one_line_that_sns_has_none(run: Run) -> None:
    replay = run("replay", "--from", "2026-11-23T18:00:00Z")
    template = run("provision", "--format", "terraform")

    assert (replay.returncode, template.returncode) == (2, 2)
    assert "SNS keeps no events, so there is nothing to replay" in replay.stderr
    assert "run `transcripts provision`" in template.stderr


class Remembers(EventHandlerPort):
    """Handler that collects events."""

    def __init__(self) -> None:
        self.received: list[ReceivedEvent] = []

    def handle(self, received: ReceivedEvent, /) -> None:
        self.received.append(received)


@pytest.mark.parametrize("raw", ["true", "false"])
def test_events_of_any_size_pass_from_the_outbox_to_a_consumer(
    environ: dict[str, str], aws: Callable[..., Any], raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_env(environ)
    container = build_container(settings)
    container.completed.infrastructure().provision()
    _deliver(aws("sns"), environ["SNS_TOPIC_NAME"], raw)
    events = [an_event(), an_event(raw_transcript="long " * 60_000), an_event()]
    for event in events:
        container.outbox().add(event)
    stop = threading.Event()
    relay = threading.Thread(target=container.relay().run, args=(stop,))
    relay.start()
    wait_until(lambda: container.outbox().counts().waiting == 0)
    stop.set()
    container.relay().wake()
    relay.join()

    handler = Remembers()
    build_consumer(settings, handler, options=ConsumerOptions(drain=True)).run()

    texts = {received.event.interaction_id: received.event for received in handler.received}
    assert texts.keys() == {event.interaction_id for event in events}
    for event in events:
        found = texts[event.interaction_id]
        assert isinstance(found, BatchProcessingCompleted)
        assert found.data == event.data


def _deliver(sns: Any, topic: str, raw: str) -> None:
    """Set raw delivery of the one subscription of the topic."""
    arn = f"arn:aws:sns:us-east-1:000000000000:{topic}"
    (found,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    sns.set_subscription_attributes(
        SubscriptionArn=found["SubscriptionArn"], AttributeName="RawMessageDelivery", AttributeValue=raw
    )
