"""Policy of each role, compared with the calls of its commands on LocalStack: it allows these and no others.

IAM is asked by us: LocalStack's free edition lets everything through.
"""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.aws.replay.rules import new_name
from adapters.aws.sqs.move_task import SqsMoveTask
from adapters.aws.sqs.queue import SqsQueue
from bootstrap.container import Container, build_container
from bootstrap.runtime.consumer import build_consumer
from bootstrap.settings import Settings
from domain.model.consuming.received import ReceivedEvent
from domain.model.route.route import RouteNames
from domain.services.consuming.consumer import ConsumerOptions
from entrypoints.cli.main import COMMANDS, main
from ports.event_handler_port import EventHandlerPort
from ports.queue_port import Copy, QueueMessage
from tests.integration.conftest import Names
from tests.support.aws.calls import ACCOUNT, FREE, REGION, Recorder, recorded_calls, with_the_key
from tests.support.aws.iam import allows, unused
from tests.support.harness.cases import typical_first
from tests.support.harness.dead_letters import an_envelope
from tests.support.harness.service import exchange, multipart, post_head, serving, wait_until
from tests.support.samples.factories import an_event
from tests.support.samples.recordings import record, tone

TENANT = uuid4()
ROLES = {
    "publisher": {"serve", "process", "relay", "worker", "jobs"},
    "consumer": {"consume"},
    "operator": {"status", "verify", "doctor", "dlq", "replay"},
    "provisioner": {"provision", "teardown"},
    "eraser": {"erase"},
}
WITHOUT_AWS = {"outbox", "keys", "schema", "iam-policy", "demo", "models", "webhook"}
"""Commands without AWS permissions; `demo` has an embedded AWS."""


class Remembers(EventHandlerPort):
    """Handler that collects events."""

    def __init__(self) -> None:
        self.received: list[ReceivedEvent] = []

    def handle(self, received: ReceivedEvent, /) -> None:
        self.received.append(received)


class Ground:
    """Environment on LocalStack for commands in this process."""

    def __init__(self, environ: dict[str, str], aws: Callable[..., Any]) -> None:
        self.environ = environ
        self.aws = aws
        self.key = environ["QUEUE_KMS_KEY"]
        self.letters = f"s3://{environ['PAYLOAD_BUCKET']}/dead letters/*"
        self.names: RouteNames = self.container().completed.names()

    @property
    def is_sns(self) -> bool:
        return self.environ["EVENT_TRANSPORT"] == "sns"

    @property
    def topic_arn(self) -> str:
        return f"arn:aws:sns:{REGION}:{ACCOUNT}:{self.names.topic}"

    def set_subscription(self, **attributes: str) -> None:
        sns = self.aws("sns")
        (found,) = sns.list_subscriptions_by_topic(TopicArn=self.topic_arn)["Subscriptions"]
        for name, value in attributes.items():
            sns.set_subscription_attributes(
                SubscriptionArn=found["SubscriptionArn"], AttributeName=name, AttributeValue=value
            )

    def container(self) -> Container:
        return build_container(Settings.from_env(self.environ))

    def run(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0)

    def send(self, queue: str, *bodies: str) -> None:
        sqs = self.aws("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)

    def fill_dead_letters(self) -> None:
        self.send(self.names.dead_letter_queue, *(an_envelope(an_event(tenant_id=TENANT)) for _ in range(2)))

    def set_attributes(self, **attributes: str) -> None:
        sqs = self.aws("sqs")
        for queue in (self.names.queue, self.names.dead_letter_queue):
            url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


EACH_TRANSPORT = pytest.mark.parametrize(
    "transport", typical_first(["eventbridge", "sns"], typical=["eventbridge"]), indirect=True
)


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> str:
    """Return the transport of the test, EventBridge unless it says otherwise."""
    return str(getattr(request, "param", "eventbridge"))


@pytest.fixture
def bus(request: pytest.FixtureRequest, aws: Callable[..., Any], names: Names) -> str:
    """Create a bus for the test, unless it uses the default one."""
    if hasattr(request, "param"):
        return str(request.param)
    aws("events").create_event_bus(Name=names.bus)
    return names.bus


@pytest.fixture
def ground(
    localstack: str,
    aws: Callable[..., Any],
    names: Names,
    bus: str,
    transport: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Ground:
    """Settings of a route with a key, a bucket and an archive, before it is provisioned."""
    aws("s3").create_bucket(Bucket=names.queue)
    environ = {
        "AWS_ENDPOINT_URL": localstack,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "EVENTBRIDGE_BUS_NAME": bus,
        "EVENT_SOURCE": f"com.test.{names.bus}",
        "EVENT_TRANSPORT": transport,
        "EVENT_MAX_BYTES": "1000",
        "SNS_TOPIC_NAME": f"topic-{names.queue}",
        "SNS_MAX_BYTES": "2000",
        "RULE_NAME": names.rule,
        "QUEUE_NAME": names.queue,
        "DLQ_NAME": names.dlq,
        "ARCHIVE_NAME": f"archive-{names.bus}",
        "PAYLOAD_BUCKET": names.queue,
        "QUEUE_KMS_KEY": _a_key(aws),
        "DATABASE_URL": f"sqlite:///{tmp_path}/transcripts.db",
        "SPOOL_DIR": str(tmp_path / "spool"),
        "TRANSCRIBER": "canned",
        "TRANSCRIBER_WORKERS": "1",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("adapters.aws.replay.replays.RULE_SETTLES_SECONDS", 0.0)
    monkeypatch.setattr("domain.services.route.replay.SETTLE_SECONDS", 0.0)
    monkeypatch.setattr("domain.services.route.replay.LOOK_EVERY_SECONDS", 0.1)
    return Ground(environ, aws)


def _a_key(aws: Callable[..., Any]) -> str:
    """Return a key that SQS accepts; LocalStack 4.11.1 fails on keys that encrypt."""
    key = aws("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return str(key["KeyMetadata"]["KeyId"])


@pytest.fixture
def provisioned(ground: Ground) -> Ground:
    ground.container().completed.infrastructure().provision(archive_days=1)
    return ground


def test_every_command_has_a_role_or_needs_none() -> None:
    assert set().union(*ROLES.values(), WITHOUT_AWS) == set(COMMANDS)


@EACH_TRANSPORT
def test_the_publishers_policy_allows_what_its_commands_call_and_no_more(
    provisioned: Ground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = record(tmp_path / "call.wav", tone(3.0))
    with recorded_calls() as recorder:
        assert provisioned.run("process", str(recording)) == 0
        _serve(provisioned, recording)
        _relay(provisioned)

    _hold_against(_policy(provisioned, capsys, "publisher"), recorder, provisioned)


@pytest.mark.parametrize("bus", ["default"], indirect=True)
def test_on_the_default_bus_the_publisher_looks_for_no_bus(
    provisioned: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorded_calls() as recorder:
        _relay(provisioned)

    assert "events:DescribeEventBus" not in recorder.operations
    _hold_against(_policy(provisioned, capsys, "publisher"), recorder, provisioned)


@EACH_TRANSPORT
def test_the_consumers_policy_allows_what_its_command_calls_and_no_more(
    provisioned: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    _relay(provisioned)
    provisioned.send(provisioned.names.queue, "no event")
    queue = provisioned.container().completed.queue()
    wait_until(lambda: queue.depth().waiting == 2)
    handler = Remembers()
    with recorded_calls() as recorder:
        build_consumer(
            Settings.from_env(provisioned.environ), handler, options=ConsumerOptions(drain=True)
        ).run()

    assert len(handler.received) == 1
    policy = _policy(provisioned, capsys, "consumer")
    statements = [each for each in policy["Statement"] if each["Sid"] != "TellErasedTranscripts"]
    assert len(statements) == len(policy["Statement"]) - 1  # S3 asks for it, and no call does
    _hold_against({**policy, "Statement": statements}, recorder, provisioned)


@EACH_TRANSPORT
def test_the_operators_policy_allows_what_its_commands_call_and_no_more(
    provisioned: Ground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with recorded_calls() as recorder:
        if not provisioned.is_sns:
            _replay(provisioned, capsys)
        _look(provisioned)
        _verify(provisioned, monkeypatch)
        _work_on_dead_letters(provisioned, monkeypatch, tmp_path)

    policy = _policy(provisioned, capsys, "operator", "--dlq-archive", provisioned.letters)
    _hold_against(policy, recorder, provisioned)


@EACH_TRANSPORT
def test_the_provisioners_policy_allows_what_its_commands_call_and_no_more(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorded_calls() as recorder:
        ground.run("provision", "--dry-run", "--archive", "1")
        ground.run("provision", "--archive", "1")
        _drift(ground)
        ground.run("provision", "--dry-run", "--archive", "2")
        ground.run("provision", "--repair", "--yes", "--archive", "2")
        if not ground.is_sns:
            _leave_a_replays_rule(ground)
        assert ground.run("teardown", "--yes", "--force", "--archive") == 0

    _hold_against(_policy(ground, capsys, "provisioner"), recorder, ground)


def test_the_other_commands_call_nothing(ground: Ground) -> None:
    with recorded_calls() as recorder:
        ground.run("outbox", "list")
        ground.run("schema")
        ground.run("provision", "--format", "terraform")
        ground.run("iam-policy", "publisher", "--account", ACCOUNT)

    assert recorder.operations == set()


def _policy(ground: Ground, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the printed policy; the account comes from STS."""
    capsys.readouterr()
    with recorded_calls() as recorder:
        assert ground.run("iam-policy", *arguments) == 0
    assert {call.action for call in recorder.calls} == FREE
    policy: dict[str, Any] = json.loads(capsys.readouterr().out)
    return policy


def _hold_against(policy: dict[str, Any], recorder: Recorder, ground: Ground) -> None:
    calls = with_the_key({call for call in recorder.calls if call.action not in FREE}, ground.key)
    assert [str(call) for call in sorted(calls) if not allows(policy, call)] == []
    assert unused(policy, calls) == []


def _serve(ground: Ground, recording: Path) -> None:
    """Upload a recording to the service, on a socket."""
    with serving(ground.container()) as port:
        content = multipart(recording.read_bytes())
        assert b"event" in exchange(port, post_head(len(content)), content)


def _relay(ground: Ground) -> None:
    """Run a relay that inspects the route, and delivers a waiting event with a transcript for S3."""
    container, stop = ground.container(), threading.Event()
    container.outbox().add(an_event(raw_transcript="long " * 400))
    thread = threading.Thread(target=container.relay().run, args=(stop,))
    thread.start()
    wait_until(lambda: container.outbox().counts().waiting == 0)
    stop.set()
    container.relay().wake()
    thread.join()


def _replay(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    """Replay an empty archive to its end (LocalStack fails on others); the last replay leaves its rule."""
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert ground.run("replay", "--from", hour_ago) == 0
    assert ground.run("replay", "--from", hour_ago, "--tenant", str(TENANT)) == 0
    capsys.readouterr()
    assert ground.run("replay", "--from", hour_ago, "--tenant", str(TENANT), "--no-wait", "--json") == 0
    name = json.loads(capsys.readouterr().out)["name"]
    ground.run("replay", "show", name)
    ground.run("replay", "cancel", name)


def _look(ground: Ground) -> None:
    """Run `status` while a message waits, so that it reads the age."""
    ground.send(ground.names.queue, "a message of others")
    ground.run("status")
    ground.run("doctor")


def _verify(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verify a sound route with another message, one whose messages cannot be copied, and a broken one."""
    assert ground.run("verify") == 0
    with monkeypatch.context() as broken:
        broken.setattr(SqsQueue, "resend", _copies_nothing)
        ground.run("verify", "--timeout", "2")
    ground.fill_dead_letters()
    if ground.is_sns:
        ground.set_subscription(FilterPolicy='{"detail-type": ["Other"]}')
    else:
        ground.aws("events").disable_rule(Name=ground.names.rule, EventBusName=ground.names.bus)
    ground.run("verify", "--timeout", "1")


def _copies_nothing(_: SqsQueue, messages: tuple[QueueMessage, ...]) -> tuple[Copy, ...]:
    return tuple(Copy(message, None, "refused") for message in messages)


def _work_on_dead_letters(ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ground.run("dlq", "list") == 0
    ground.run("dlq", "show", "unknown")
    assert ground.run("dlq", "export", "-o", str(tmp_path / "letters.jsonl")) == 0
    assert ground.run("dlq", "redrive", "--tenant", str(TENANT), "--max", "1") == 0
    assert ground.run("dlq", "archive", ground.letters) == 0
    assert ground.run("dlq", "restore", ground.letters) == 0
    ground.fill_dead_letters()
    assert ground.run("dlq", "redrive", "--all") == 0
    with monkeypatch.context() as interrupted:
        interrupted.setattr(SqsMoveTask, "progress", _interrupts)
        assert ground.run("dlq", "redrive", "--all") == 130
    assert ground.run("dlq", "purge", "--yes") == 0


def _interrupts(_: SqsMoveTask) -> None:
    """Interrupt the command as Ctrl-C does."""
    raise KeyboardInterrupt


def _drift(ground: Ground) -> None:
    """Change every resource, and put a message into both queues."""
    ground.send(ground.names.queue, "an event")
    ground.send(ground.names.dead_letter_queue, "a dead letter")
    ground.set_attributes(MessageRetentionPeriod="60")
    if ground.is_sns:
        ground.set_subscription(RawMessageDelivery="false")
        sns = ground.aws("sns")
        sns.set_topic_attributes(
            TopicArn=ground.topic_arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/others"
        )
        return
    events, names = ground.aws("events"), ground.names
    events.disable_rule(Name=names.rule, EventBusName=names.bus)
    (target,) = events.list_targets_by_rule(Rule=names.rule, EventBusName=names.bus)["Targets"]
    del target["RetryPolicy"]
    events.put_targets(Rule=names.rule, EventBusName=names.bus, Targets=[target])


def _leave_a_replays_rule(ground: Ground) -> None:
    """Leave a rule behind, as a killed replay of one tenant does."""
    events, names = ground.aws("events"), ground.names
    rule = new_name(names, datetime.now(UTC))
    events.put_rule(Name=rule, EventBusName=names.bus, EventPattern='{"source": ["no-source"]}')
    target = {"Id": "queue", "Arn": ground.container().completed.infrastructure()._route(None).queue_arn}
    events.put_targets(Rule=rule, EventBusName=names.bus, Targets=[target])
