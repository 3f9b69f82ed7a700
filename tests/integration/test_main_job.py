"""Main job as its users see it: provision, serve, upload real speech, read the queue, verify."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import urllib3
from jsonschema import Draft202012Validator

from domain.model.events.event import BatchProcessingCompleted
from tests.integration.conftest import Names
from tests.support.harness.installed_command import serving, transcripts
from tests.support.samples.contract_history import ROOT
from tests.support.samples.recordings import DEMO, DEMO_TRANSCRIPT, record, silence

TENANT = str(uuid4())
ENVELOPE = json.loads((ROOT / "docs" / "events" / "envelope.schema.json").read_text(encoding="utf-8"))


class Environment(NamedTuple):
    """Return the variables of a newly provisioned route on LocalStack."""

    variables: dict[str, str]
    report: dict[str, Any]
    sqs: Any

    def receive(self, *, wait_seconds: int = 10) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.report["queue_url"], WaitTimeSeconds=wait_seconds, MaxNumberOfMessages=10
        )
        return [json.loads(message["Body"]) for message in answer.get("Messages", ())]


@pytest.fixture
def environment(localstack: str, aws: Callable[..., Any], names: Names) -> Environment:
    variables = {
        "AWS_ENDPOINT_URL": localstack,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "QUEUE_NAME": names.queue,
        "DLQ_NAME": names.dlq,
        "RULE_NAME": names.rule,
        "EVENTBRIDGE_BUS_NAME": names.bus,
    }
    aws("events").create_event_bus(Name=names.bus)
    result = transcripts("provision", "--json", **variables)
    assert result.returncode == 0, result.stderr
    return Environment(variables, json.loads(result.stdout), aws("sqs"))


@pytest.fixture
def service(environment: Environment, tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path, **environment.variables, EVENT_TRANSPORT="auto") as (url, _):
        yield url


def upload(url: str, recording: Path, **headers: str) -> Any:
    fields = {"file": (recording.name, recording.read_bytes())}
    return urllib3.request("POST", f"{url}/batch/process", fields=fields, headers=headers, timeout=120)


def test_real_speech_becomes_an_event_in_the_queue_as_the_contract_says(
    environment: Environment, service: str
) -> None:
    answer = upload(service, DEMO, **{"X-Tenant-ID": TENANT, "X-User-ID": "alice"}).json()

    (envelope,) = environment.receive()
    event = BatchProcessingCompleted.model_validate_json(json.dumps(envelope["detail"]))
    assert list(Draft202012Validator(ENVELOPE).iter_errors(envelope)) == []
    assert answer["raw_transcript"] == DEMO_TRANSCRIPT
    assert answer["event"] == {"status": "published", "event_id": envelope["id"]}
    assert envelope["source"] == "com.yourapp.transcription"
    assert envelope["detail-type"] == "BatchProcessingCompleted"
    assert str(event.interaction_id) == answer["interaction_id"]
    assert (str(event.tenant_id), event.user_id, event.account_id) == (TENANT, "alice", None)
    assert event.data.raw_transcript == DEMO_TRANSCRIPT
    assert event.data.cleaned_transcript == answer["cleaned_transcript"]


def test_a_recording_without_speech_is_an_event_like_any_other(
    environment: Environment, service: str, tmp_path: Path
) -> None:
    answer = upload(service, record(tmp_path / "silence.wav", silence(2.0)))

    (envelope,) = environment.receive()
    assert answer.status == 200
    assert envelope["detail"]["data"] == {"raw_transcript": "", "cleaned_transcript": ""}


def test_what_cannot_be_transcribed_is_no_event(
    environment: Environment, service: str, tmp_path: Path
) -> None:
    (tmp_path / "letter.wav").write_text("this is a letter", encoding="utf-8")

    answer = upload(service, tmp_path / "letter.wav")

    assert answer.status == 415
    assert environment.receive(wait_seconds=1) == []


def test_a_message_that_fails_three_times_is_a_dead_letter(environment: Environment, service: str) -> None:
    upload(service, DEMO)
    queue, dlq = environment.report["queue_url"], environment.report["dlq_url"]
    sqs = environment.sqs

    for _ in range(3):
        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)

    (dead,) = sqs.receive_message(QueueUrl=dlq, WaitTimeSeconds=10)["Messages"]
    assert dead["Body"] == message["Body"]


def test_provisioning_again_changes_nothing_and_says_so(environment: Environment) -> None:
    again = transcripts("provision", "--json", **environment.variables)

    report = json.loads(again.stdout)
    assert again.returncode == 0
    assert {resource["status"] for resource in report["resources"]} == {"existing"}
    assert all(resource["differences"] == [] for resource in report["resources"])
    assert again.stderr.count("creation skipped") == 4
    for key in ("queue_url", "dlq_url", "rule_arn"):
        assert report[key] == environment.report[key]


def test_verify_finds_its_event_and_leaves_nothing_behind(environment: Environment) -> None:
    result = transcripts("verify", "--json", **environment.variables)

    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["ok"] is True
    assert environment.receive(wait_seconds=1) == []


def test_verify_fails_with_an_exit_code_and_the_link_when_the_rule_is_gone(
    environment: Environment, aws: Callable[..., Any], names: Names
) -> None:
    events = aws("events")
    targets = events.list_targets_by_rule(Rule=names.rule, EventBusName=names.bus)["Targets"]
    events.remove_targets(Rule=names.rule, EventBusName=names.bus, Ids=[targets[0]["Id"]])
    events.delete_rule(Name=names.rule, EventBusName=names.bus)

    result = transcripts("verify", "--timeout", "1", "--json", **environment.variables)

    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert [finding["link"] for finding in report["findings"]] == ["rule"]


def test_verify_without_a_queue_fails_at_once(localstack: str) -> None:
    result = transcripts(
        "verify",
        AWS_ENDPOINT_URL=localstack,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        QUEUE_NAME="a-queue-that-is-not-there",
    )

    assert result.returncode == 1
    assert "a-queue-that-is-not-there" in result.stderr
    assert "Traceback" not in result.stderr
