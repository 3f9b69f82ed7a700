"""Credentials as shells, editors and secret stores leave them; no message quotes a value."""

import json
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from adapters.aws.errors import CredentialFaultError
from bootstrap.aws.clients import AwsAccess, sqs_client
from bootstrap.aws.credentials import CheckedCredentials, credentials_found
from domain.model.errors import ConfigurationError

ID, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE"
TEMPORARY = ID.replace("AKIA", "ASIA")

FORMS = [
    (f"{ID}\n", SECRET, "", "AWS_ACCESS_KEY_ID contains a line end"),
    (ID, f"{SECRET}\r", "", "AWS_SECRET_ACCESS_KEY contains a line end"),
    (f" {ID}", SECRET, "", "AWS_ACCESS_KEY_ID begins or ends with white space"),
    (ID, f"{SECRET}\u00a0", "", "AWS_SECRET_ACCESS_KEY begins or ends with white space"),
    (ID, f"{SECRET} # production", "", "AWS_SECRET_ACCESS_KEY contains white space"),
    (f'"{ID}"', f'"{SECRET}"', "", "AWS_ACCESS_KEY_ID is in quotation marks"),
    (ID, f"“{SECRET}”", "", "AWS_SECRET_ACCESS_KEY is in quotation marks"),
    (f"\ufeff{ID}", SECRET, "", "AWS_ACCESS_KEY_ID contains a byte order mark"),
    (ID, f"{SECRET}\u200b", "", "AWS_SECRET_ACCESS_KEY contains a character that is not printable ASCII"),
    (ID, SECRET.replace("a", "а"), "", "AWS_SECRET_ACCESS_KEY contains a character that is not"),  # noqa: RUF001 - Cyrillic
    (ID, f"{SECRET}\\n", "", "AWS_SECRET_ACCESS_KEY ends with a line end that is written out"),
    ("${KEY_ID}", SECRET, "", "AWS_ACCESS_KEY_ID is the name of a variable"),
    (ID, SECRET.replace("/", "%2F"), "", "AWS_SECRET_ACCESS_KEY is encoded for a URL"),
    (SECRET, ID, "", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are swapped"),
    (TEMPORARY, SECRET, "", "AWS_SESSION_TOKEN is missing"),
    (ID, SECRET, TOKEN, "AWS_SESSION_TOKEN does not belong to AWS_ACCESS_KEY_ID"),
    (TEMPORARY, SECRET, f"{TOKEN}\n", "AWS_SESSION_TOKEN contains a line end"),
]


@pytest.mark.parametrize(("access_key", "secret_key", "token", "fault"), FORMS)
def test_a_value_that_aws_can_only_refuse_is_named(
    monkeypatch: pytest.MonkeyPatch, access_key: str, secret_key: str, token: str, fault: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)

    for use in (credentials_found, lambda: sqs_client(AwsAccess("us-east-1"))):
        with pytest.raises(ConfigurationError) as refusal:
            use()
        assert f"cannot be used: {fault}" in str(refusal.value)
        assert not any(value.strip() in str(refusal.value) for value in (ID, SECRET, TOKEN))


@pytest.mark.parametrize(
    ("access_key", "token"), [(ID, ""), (TEMPORARY, TOKEN), ("test", ""), ("minio!", "x")]
)
def test_other_values_are_left_to_aws(monkeypatch: pytest.MonkeyPatch, access_key: str, token: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)

    assert credentials_found()


def test_quotes_in_the_credentials_file_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        f"[default]\naws_access_key_id = {ID}\naws_secret_access_key = '{SECRET}'\n", encoding="utf-8"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

    with pytest.raises(
        ConfigurationError, match="the secret access key of shared-credentials-file is in quot"
    ):
        credentials_found()


@pytest.mark.parametrize(
    ("encoding", "fault"),
    [("utf-16", "zero bytes, as UTF-16 does"), ("utf-8-sig", "begins with a byte order mark")],
)
@pytest.mark.parametrize("variable", ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"])
def test_a_file_that_an_editor_saved_in_its_own_way_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, encoding: str, fault: str
) -> None:
    file = tmp_path / "file"
    file.write_text(
        f"[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n", encoding=encoding
    )
    monkeypatch.setenv(variable, str(file))

    with pytest.raises(ConfigurationError, match=f"{file} .*{fault}") as refusal:
        credentials_found()
    assert SECRET not in str(refusal.value)


KEYS = {"Version": 1, "AccessKeyId": TEMPORARY, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
SOON = "2099-01-01T00:00:00"
PRINTED: list[tuple[bytes, str]] = [
    (b"not JSON", "credential_process printed no JSON"),
    (b"\xef\xbb\xbf" + json.dumps(KEYS).encode(), "printed no JSON, but a byte order mark first"),
    (json.dumps(KEYS).encode("utf-16"), "credential_process printed no UTF-8, but perhaps UTF-16"),
    (b"[]", "credential_process printed JSON that is no object"),
    (json.dumps(KEYS | {"Expiration": SOON}).encode(), "Expiration of credential_process.*with a time zone"),
    (
        json.dumps(KEYS | {"Expiration": "tomorrow"}).encode(),
        "Expiration of credential_process.*with a time zone",
    ),
    (
        json.dumps(KEYS | {"Expiration": 4070908800}).encode(),
        "Expiration of credential_process.*with a time zone",
    ),
    (json.dumps(KEYS | {"Expiration": "2020-01-01T00:00:00Z"}).encode(), "they have expired"),
    (json.dumps(KEYS | {"SessionToken": ""}).encode(), "the session token of custom-process is missing"),
    (
        json.dumps(KEYS | {"SecretAccessKey": None}).encode(),
        "the secret access key of custom-process is no text",
    ),
]


def use_process(monkeypatch: pytest.MonkeyPatch, folder: Path, command: str) -> None:
    file = folder / "config"
    file.write_text(f"[default]\ncredential_process = {command}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))


@pytest.mark.process
@pytest.mark.parametrize(("printed", "fault"), PRINTED)
def test_what_a_credential_process_prints_is_named_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: bytes, fault: str
) -> None:
    (tmp_path / "printed").write_bytes(printed)
    use_process(monkeypatch, tmp_path, f"/bin/cat {tmp_path}/printed")

    with pytest.raises(ConfigurationError, match=fault) as refusal:
        credentials_found()
    assert SECRET not in str(refusal.value)


@pytest.mark.process
@pytest.mark.parametrize("expiration", [f"{SOON}Z", f"{SOON}+01:00", f"{SOON}.123Z", None])
def test_a_credential_process_with_an_expiry_that_can_be_read_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, expiration: str | None
) -> None:
    (tmp_path / "printed").write_text(json.dumps(KEYS | {"Expiration": expiration}), encoding="utf-8")
    use_process(monkeypatch, tmp_path, f"/bin/cat {tmp_path}/printed")

    assert credentials_found()


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "fault"),
    [("/no/such/program", "/no/such/program: No such file"), ("/bin/echo 'x", "quotation that does not end")],
)
def test_a_credential_process_that_cannot_be_started_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, fault: str
) -> None:
    use_process(monkeypatch, tmp_path, command)

    with pytest.raises(ConfigurationError, match=fault):
        credentials_found()


@pytest.mark.parametrize(
    ("expiry", "fault"), [("2020-01-01T00:00:00Z", "they have expired"), (SOON, "time zone")]
)
def test_keys_of_the_environment_that_expire_are_named(
    monkeypatch: pytest.MonkeyPatch, expiry: str, fault: str
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": TEMPORARY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_CREDENTIAL_EXPIRATION": expiry,
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=fault):
        credentials_found()


def test_values_that_a_refresh_changed_are_checked_before_the_next_call() -> None:
    source = Credentials(TEMPORARY, SECRET, TOKEN)
    checked = CheckedCredentials(source)
    assert checked.get_frozen_credentials().token == TOKEN

    source.token = f"{TOKEN}\n"

    for _ in range(2):
        with pytest.raises(CredentialFaultError, match="contains a line end"):
            checked.get_frozen_credentials()
    source.token = "newer"
    assert checked.get_frozen_credentials().token == "newer"
