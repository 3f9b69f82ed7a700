"""`transcripts iam-policy`: what it prints, what it asks, and its exit codes."""

import json
from typing import Any

import pytest
from moto import mock_aws

from entrypoints.cli.main import main

ROLES = ["publisher", "consumer", "operator", "provisioner"]
ACCOUNT = ("--account", "012345678901")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["iam-policy", *arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def arns(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command, and reads every ARN that it prints."""

    def printed(*arguments: str) -> set[str]:
        assert run(*arguments) == 0
        policy = json.loads(capsys.readouterr().out)
        return {arn for statement in policy["Statement"] for arn in statement["Resource"] if arn != "*"}

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


def test_a_region_of_no_partition_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", "moon-east-1")

    assert run("consumer", *ACCOUNT) == 2
    assert "moon-east-1" in capsys.readouterr().err


def test_the_account_is_the_one_of_the_credentials(arns: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with mock_aws():
        found = arns("consumer")

    assert {arn.split(":")[4] for arn in found} == {"123456789012"}


def test_without_credentials_the_account_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("consumer") == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert "NoCredentialsError" in output.err
    assert "--account 123456789012" in output.err


def test_a_policy_that_is_too_long_for_iam_is_printed_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVENTBRIDGE_BUS_NAME", "b" * 256)
    assert run("consumer", *ACCOUNT) == 0
    assert capsys.readouterr().err == ""

    assert run("operator", *ACCOUNT, "--dlq-archive", "s3://letters/" + "x" * 1000) == 0

    output = capsys.readouterr()
    assert json.loads(output.out)
    assert "split its statements into two policies" in output.err


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
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    assert run(*arguments) == 2
    assert complaint in capsys.readouterr().err
