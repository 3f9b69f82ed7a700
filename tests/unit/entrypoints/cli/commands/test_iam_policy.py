"""`transcripts iam-policy`: what it prints, what it asks, and its exit codes."""

from collections.abc import Callable
from typing import Any

import pytest
from moto import mock_aws

from tests.support.harness.command_line import Caller, Told

Run = Callable[..., Told]

ROLES = ["publisher", "consumer", "operator", "provisioner"]
ACCOUNT = ("--account", "012345678901")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: Caller(capsys)("iam-policy", *arguments)


@pytest.fixture
def arns(run: Run) -> Any:
    """Runs the command, and reads every ARN that it prints."""

    def printed(*arguments: str) -> set[str]:
        statements = run(*arguments).answer["Statement"]
        return {arn for statement in statements for arn in statement["Resource"] if arn != "*"}

    return printed


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_a_role_gets_arns_of_region_and_account_without_asking_aws(
    arns: Any, monkeypatch: pytest.MonkeyPatch, role: str, json_option: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # no server there

    found = arns(role, *ACCOUNT, *json_option)

    assert found
    assert {tuple(arn.split(":")[3:5]) for arn in found} == {("eu-central-1", "012345678901")}


def test_names_bucket_and_key_are_those_of_the_settings(arns: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVENTBRIDGE_BUS_NAME", "QUEUE_NAME", "DLQ_NAME", "RULE_NAME", "ARCHIVE_NAME"):
        monkeypatch.setenv(name, f"our-{name.lower().replace('_', '-')}")
    monkeypatch.setenv("PAYLOAD_BUCKET", "our-bucket")
    monkeypatch.setenv("QUEUE_KMS_KEY", "our-key")

    ends = {
        arn.rpartition(":")[2] for arn in arns("operator", *ACCOUNT, "--dlq-archive", "s3://letters/dead")
    }

    assert {"event-bus/our-eventbridge-bus-name", "our-queue-name", "our-dlq-name", "key/our-key"} <= ends
    assert {"rule/our-eventbridge-bus-name/our-rule-name", "archive/our-archive-name"} <= ends
    assert {"our-bucket/transcripts/doctor", "letters", "letters/dead/*"} <= ends


@pytest.mark.parametrize(("engine", "count"), [("amazon-transcribe", 2), ("canned", 0)])
def test_amazon_transcribe_has_statements_where_it_is_the_engine(
    arns: Any, monkeypatch: pytest.MonkeyPatch, engine: str, count: int
) -> None:
    monkeypatch.setenv("TRANSCRIBER", engine)
    monkeypatch.setenv("TRANSCRIBE_BUCKET", "our-recordings")

    found = {arn.rpartition(":")[2] for arn in arns("publisher", *ACCOUNT)}

    assert len(found & {"our-recordings/transcribe/*", "transcription-job/batch-transcription-*"}) == count


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eu-nowhere-9", "aws"),
    ],
)
def test_the_partition_is_the_regions(
    arns: Any, monkeypatch: pytest.MonkeyPatch, region: str, partition: str
) -> None:
    monkeypatch.setenv("AWS_REGION", region)

    assert {arn.split(":")[1] for arn in arns("consumer", *ACCOUNT)} == {partition}


def test_a_region_of_no_partition_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "moon-east-1")

    told = run("consumer", *ACCOUNT)

    assert told.code == 2
    assert "moon-east-1" in told.err


def test_the_account_is_the_one_of_the_credentials(arns: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with mock_aws():
        found = arns("consumer")

    assert {arn.split(":")[4] for arn in found} == {"123456789012"}


def test_without_credentials_the_account_has_to_be_named(run: Run) -> None:
    code, out, err = run("consumer")

    assert (code, out) == (2, "")
    assert "NoCredentialsError" in err
    assert "--account 123456789012" in err


def test_a_policy_that_is_too_long_for_iam_is_printed_with_a_warning(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTBRIDGE_BUS_NAME", "b" * 256)
    assert run("consumer", *ACCOUNT).err == ""

    told = run("operator", *ACCOUNT, "--dlq-archive", "s3://letters/" + "x" * 1000)

    assert told.answer
    assert "split its statements into two policies" in told.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("unknown", *ACCOUNT), "publisher"),
        (("consumer", "--account", "12345"), "12 digits"),
        (("consumer", "--account", "١٢٣٤٥٦٧٨٩٠١٢"), "12 digits"),
        (("consumer", *ACCOUNT, "--dlq-archive", "s3://letters"), "for the role operator"),
        (("operator", *ACCOUNT, "--dlq-archive", "letters"), "s3://my-bucket/dead-letters"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    told = run(*arguments)

    assert told.code == 2
    assert complaint in told.err


@pytest.mark.parametrize(
    ("kinds", "queues"),
    [
        ((), {"meeting-transcripts-queue"}),
        (("--kinds", "failed"), {"meeting-failures-queue"}),
        (("--kinds", "completed,failed"), {"meeting-transcripts-queue", "meeting-failures-queue"}),
        (("--kinds", "erased,failed"), {"meeting-erasures-queue", "meeting-failures-queue"}),
    ],
)
def test_a_consumer_may_use_the_queues_of_the_kinds_that_it_handles(
    arns: Any, kinds: tuple[str, ...], queues: set[str]
) -> None:
    assert {arn.rpartition(":")[2] for arn in arns("consumer", *ACCOUNT, *kinds)} == queues


def test_the_kinds_are_those_that_are_sent_unless_they_are_named(
    arns: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_KINDS", "completed,failed")

    assert {arn.rpartition(":")[2] for arn in arns("consumer", *ACCOUNT)} == {
        "meeting-transcripts-queue",
        "meeting-failures-queue",
    }
