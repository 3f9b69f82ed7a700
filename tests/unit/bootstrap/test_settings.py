import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bootstrap.choices import Authentication, EventTransport, LogFormat, Transcriber
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from domain.model.events.kinds import EventKind
from domain.model.identity import IdentityDefaults
from domain.model.route.route import DEFAULT_ROUTES

ROOT = Path(__file__).parents[3]


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = Settings.from_env({})

    assert settings.aws_region == "us-east-1"
    assert settings.eventbridge_bus_name == "default"
    assert settings.event_source == "com.yourapp.transcription"
    assert settings.event_transport == EventTransport.AUTO
    assert settings.queue_name == "meeting-transcripts-queue"
    assert settings.dlq_name == "meeting-transcripts-dlq"
    assert settings.rule_name == "capture-transcripts-rule"
    assert settings.transcriber is Transcriber.FASTER_WHISPER
    assert settings.max_upload_bytes == 2 * 2**30
    assert settings.max_audio_seconds == 4 * 60 * 60
    assert settings.outbox_keep_days == 0
    assert settings.log_format is LogFormat.AUTO
    assert settings.identity_defaults == IdentityDefaults(None, None)


def test_every_value_of_the_environment_is_read() -> None:
    settings = Settings.from_env(
        {
            "AWS_REGION": "eu-central-1",
            "EVENTBRIDGE_BUS_NAME": "company",
            "EVENT_SOURCE": "com.example.speech",
            "EVENT_TRANSPORT": "memory",
            "MOCK_TENANT_ID": "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11",
            "MOCK_USER_ID": "alice",
            "TRANSCRIBER_WORKERS": "3",
            "MAX_AUDIO_SECONDS": "60",
            "OUTBOX_KEEP_DAYS": "0.5",
            "UNRELATED": "ignored",
        }
    )

    assert settings.aws_region == "eu-central-1"
    assert settings.eventbridge_bus_name == "company"
    assert settings.event_source == "com.example.speech"
    assert settings.event_transport == EventTransport.MEMORY
    assert settings.identity_defaults == IdentityDefaults("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11", "alice")
    assert (settings.transcriber_workers, settings.max_audio_seconds) == (3, 60.0)
    assert settings.outbox_keep_days == 0.5


@pytest.mark.parametrize(("value", "prefix"), [("/speech", "/speech"), ("/a/b-c/", "/a/b-c"), ("/", "")])
def test_a_prefix_has_no_slash_at_its_end(value: str, prefix: str) -> None:
    assert Settings.from_env({"ROOT_PATH": value}).root_path == prefix


@pytest.mark.parametrize(
    ("text", "kinds"),
    [("completed", ["completed"]), ("completed,failed", ["completed", "failed"]),
     (" Failed , completed,failed", ["completed", "failed"]),
     ("erased,completed", ["completed", "erased"])],
)  # fmt: skip
def test_the_kinds_of_events_are_a_list_in_any_order(text: str, kinds: list[str]) -> None:
    assert Settings.from_env({"EVENT_KINDS": text}).event_kinds == tuple(kinds)


def test_only_completed_events_are_sent_by_default_and_failed_ones_have_a_route_of_their_own() -> None:
    settings = Settings.from_env({"EVENT_SOURCE": "com.acme"})

    assert settings.event_kinds == (EventKind.COMPLETED,)
    assert settings.routes == {
        kind: replace(names, source="com.acme") for kind, names in DEFAULT_ROUTES.items()
    }


def test_the_waiting_room_is_as_large_as_the_pool_unless_it_is_set() -> None:
    assert Settings.from_env({"TRANSCRIBER_WORKERS": "3"}).waiting_room == 3
    assert Settings.from_env({"TRANSCRIBER_WAITING_ROOM": "0"}).waiting_room == 0


def test_everything_that_must_survive_lies_in_one_folder_unless_it_is_said_otherwise() -> None:
    settings = Settings.from_env({"DATA_DIR": "/srv/data"})

    assert settings.database_url == "sqlite:////srv/data/transcripts.db"
    assert settings.spool_dir == Path("/srv/data/uploads")
    assert Settings.from_env({}).database_url == "sqlite:///var/transcripts.db"
    assert Settings.from_env({"SPOOL_DIR": "/mnt/x", "DATA_DIR": "/srv"}).spool_dir == Path("/mnt/x")


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({"AWS_REGION": " ", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({}, "eu-west-3"),
        ({"AWS_PROFILE": "other"}, "us-east-1"),
        ({"AWS_PROFILE": "unknown"}, "us-east-1"),
    ],
)
def test_the_region_is_the_one_of_a_variable_or_else_of_the_profile_or_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str
) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\nregion = eu-west-3\n[profile other]\noutput = json\n", encoding="utf-8")
    for name, value in {**variables, "AWS_CONFIG_FILE": str(file)}.items():
        monkeypatch.setenv(name, value)

    assert Settings.from_env(variables).aws_region == region


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LOG_LEVEL", "info"), ("LOG_FORMAT", "JSON"), ("EVENT_TRANSPORT", "NoOp"), ("TRANSCRIBER", "Canned")],
)
def test_capital_letters_do_not_matter_where_there_are_a_few_values(variable: str, value: str) -> None:
    found = getattr(Settings.from_env({variable: value}), variable.lower())

    assert found.lower() == value.lower()


def test_a_blank_value_counts_as_absent() -> None:
    assert Settings.from_env({"AWS_REGION": "", "PORT": " "}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("variable", "value", "explanation"),
    [
        ("EVENT_TRANSPORT", "eventbrige", "auto, eventbridge, .*nats.* .did you mean 'eventbridge'"),
        (
            "EVENT_TRANSPORT",
            "carrier-pigeon",
            "is not one of auto, eventbridge, sns, webhook, memory, noop, ",
        ),
        ("TRANSCRIBER", "pocketsphinx", "is not one of faster-whisper, .*canned"),
        ("TRANSCRIBER_DEVICE", "cuba", "auto, cpu, cuda .did you mean 'cuda'"),
        ("TRANSCRIBER_LANGUAGE", "English", "the code of a language in small letters, such as en"),
        ("TRANSCRIBER_SPEECH_THRESHOLD", "1.5", "less than 1"),
        ("TRANSCRIBER", "amazon", "amazon-transcribe"),
        ("TRANSCRIBE_BUCKET", "Ours", "3 to 63 small letters, digits and . -, such as my-recordings$"),
        ("TRANSCRIBE_SPEAKERS", "1", "must be 2 or more, or 0$"),
        ("TRANSCRIBE_SPEAKERS", "31", "must be less than or equal to 30$"),
        ("CLEANER", "rule", "did you mean 'rules'"),
        ("LOG_LEVEL", "inf", "did you mean 'INFO'"),
        ("IDENTITY", "strickt", "lenient, strict .did you mean 'strict'"),
        ("LOG_FORMAT", "jsn", "did you mean 'json'"),
        ("AWS_REGION", "x", "^AWS_REGION='x': a region, such as eu-central-1$"),
        ("AWS_DEFAULT_REGION", "x", "^AWS_DEFAULT_REGION='x': a region, such as eu-central-1$"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "must begin with http://"),
        ("EVENTBRIDGE_BUS_NAME", "a bus", "up to 256 letters, digits and . _ - /$"),
        ("QUEUE_NAME", "queue.fifo", "up to 80 letters, digits and - _$"),
        ("RULE_NAME", "x" * 65, "up to 64 letters, digits and . - _$"),
        ("MOCK_USER_ID", "a\nb", "must be short and printable"),
        ("TRANSCRIBER_WORKERS", "0", "must be greater than or equal to 1"),
        ("TRANSCRIBER_WORKERS", "many", "a whole number, such as 2$"),
        ("TRANSCRIBER_WAITING_ROOM", "1.5", "a whole number, such as 2$"),
        ("TRANSCRIBER_WAITING_ROOM", "-1", "must be greater than or equal to 0"),
        ("TRANSCRIBER_STALL_SECONDS", "inf", "must be a finite number"),
        ("UPLOAD_IDLE_SECONDS", "soon", "seconds, such as 2$"),
        ("PUBLISH_TIMEOUT_SECONDS", "0", "must be greater than 0"),
        ("PUBLISH_TIMEOUT_SECONDS", "30", "less than or equal to 3"),
        ("MAX_UPLOAD_BYTES", "2GB", "whole bytes, such as 1000000$"),
        ("EVENT_MAX_BYTES", "1MB", "whole bytes, such as 1000000$"),
        ("SNS_TOPIC_NAME", "topic.fifo", "up to 256 letters, digits and - _$"),
        ("SNS_MAX_BYTES", "1048577", "must be less than or equal to 1048576$"),
        ("ARCHIVE_NAME", "a" * 49, "up to 48 letters, digits and . - _$"),
        ("ARCHIVE_DAYS", "1.5", "whole days, such as 30; 0 for good$"),
        ("QUEUE_KMS_KEY", "our key", "the id, the ARN or the alias of a key, such as alias/transcripts$"),
        ("PAYLOAD_BUCKET", "My_Bucket", "3 to 63 small letters, digits and . -, such as my-transcripts$"),
        ("MAX_AUDIO_SECONDS", "inf", "finite"),
        ("DATABASE_ALLOW_NETWORK_FILE_SYSTEM", "perhaps", "true or false$"),
        ("OUTBOX_KEEP_DAYS", "a week", "days, such as 7 or 0.5$"),
        ("OUTBOX_KEEP_DAYS", "-1", "must be greater than or equal to 0"),
        ("OUTBOX_KEEP_DAYS", "nan", "must be"),
        ("OUTBOX_KEEP_DAYS", "4000", "must be less than or equal to 3650"),
        ("EVENT_KINDS", "completed,fail", "'fail' is not one of completed, failed, erased$"),
        ("EVENT_KINDS", "completed,,failed", "'' is not one of completed, failed, erased$"),
        ("EVENT_KINDS", "failed", "must have completed: every finished recording is announced$"),
        ("FAILED_QUEUE_NAME", "meeting-transcripts-queue", "must differ from QUEUE_NAME: failed events have"),
        ("FAILED_DLQ_NAME", "meeting-transcripts-dlq", "must differ from DLQ_NAME: failed events have"),
        ("FAILED_DLQ_NAME", "meeting-failures-queue", "must differ from FAILED_QUEUE_NAME: failed events"),
        ("FAILED_RULE_NAME", "capture-transcripts-rule", "must differ from RULE_NAME: failed events have"),
        ("EVENT_TEXTS", "reference", "must have a bucket for the texts: set PAYLOAD_BUCKET$"),
        ("EVENT_TEXTS", "refer", "inline, reference"),
        ("ERASED_QUEUE_NAME", "meeting-failures-dlq", "must differ from FAILED_DLQ_NAME: erased events have"),
        ("ERASED_DLQ_NAME", "meeting-erasures-queue", "must differ from ERASED_QUEUE_NAME: erased events"),
        ("ERASED_RULE_NAME", "capture-failures-rule", "must differ from FAILED_RULE_NAME: erased events"),
        ("DATA_DIR", "/srv/a?b", "must be the path of a folder, without"),
        ("DATA_DIR", "/srv/a%20b", "must be the path of a folder, without"),
        ("DATA_DIR", "~/data", "must be the path of a folder, without"),
        ("PORT", "70000", "less than or equal to 65535"),
        ("ROOT_PATH", "speech", "must be a path, such as /speech$"),
        ("ROOT_PATH", "/a b", "must be a path, such as /speech$"),
        ("ROOT_PATH", "//evil.example", "must be a path, such as /speech$"),
        ("SHUTDOWN_GRACE_SECONDS", "0", "must be greater than 0"),
    ],
)
def test_a_wrong_value_names_its_variable_and_what_it_may_hold(
    variable: str, value: str, explanation: str
) -> None:
    with pytest.raises(ConfigurationError, match=explanation) as refusal:
        Settings.from_env({variable: value})

    assert str(refusal.value).startswith(f"{variable}={value!r}")


@pytest.mark.parametrize("tenant", ["acme", "8f0e9a4c-e7d3-11f0-8054-02fc00000001"])
def test_strict_identity_refuses_a_default_tenant_that_is_no_uuid_v4(tenant: str) -> None:
    assert Settings.from_env({"MOCK_TENANT_ID": tenant}).identity_defaults == IdentityDefaults(tenant)

    with pytest.raises(ConfigurationError, match="must be a UUID v4 with IDENTITY=strict") as refusal:
        Settings.from_env({"MOCK_TENANT_ID": tenant, "IDENTITY": "strict"})
    assert str(refusal.value).startswith(f"MOCK_TENANT_ID={tenant!r}")


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_env({"PORT": "x", "CLEANER": "soap"})

    assert len(str(refusal.value).splitlines()) == 2


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings.from_env({}).port = 1  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize("document", [".env.example", "README.md"])
def test_every_variable_is_documented(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    missing = [name.upper() for name in Settings.model_fields if not re.search(rf"\b{name.upper()}\b", text)]

    assert missing == []


def test_the_example_environment_changes_nothing_as_it_stands() -> None:
    """All settings are comments, so that `--env-file` keeps the defaults of the container image."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


def test_the_example_environment_is_a_valid_one() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assignments = [line.lstrip("# ") for line in lines if re.match(r"#? ?[A-Z_]+=", line)]

    environ = dict(assignment.split("=", 1) for assignment in assignments)

    assert Settings.from_env(environ).aws_region == environ["AWS_REGION"]


def test_buckets_and_networks_of_sources_are_lists() -> None:
    settings = Settings.from_env(
        {
            "SOURCE_BUCKETS": "acme-calls, shared-recordings/incoming/ ,",
            "SOURCE_ALLOW_NETWORKS": "10.1.0.0/16,fd12::/32",
        }
    )

    assert settings.source_buckets == ("acme-calls", "shared-recordings/incoming/")
    assert [str(network) for network in settings.source_allow_networks] == ["10.1.0.0/16", "fd12::/32"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SOURCE_BUCKETS", "s3://acme-calls", "'s3://acme-calls' is not a bucket"),
        ("SOURCE_BUCKETS", "*", "'*' is not a bucket"),
        ("RECORDING_STORE", "gs://calls/team", "must be a folder, or s3://bucket/prefix"),
        ("DLQ_ARCHIVE", "https://letters.example", "must be a folder, or s3://bucket/prefix"),
        ("SOURCE_ALLOW_NETWORKS", "10.1.2.3/16", "has host bits set"),
        ("SOURCE_ALLOW_NETWORKS", "intranet", "does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_a_wrong_place_is_named(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_env({name: value})

    assert str(refusal.value).startswith(f"{name}={value!r}: ")
    assert problem in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "auth"),
    [
        ("open", Authentication.OPEN),
        ("KEY", Authentication.KEY),
        ("token,key", Authentication.TOKEN_OR_KEY),
        ("key, token", Authentication.TOKEN_OR_KEY),
    ],
)
def test_the_methods_of_authentication_have_no_order(text: str, auth: Authentication) -> None:
    assert Settings.from_env({"AUTH": text}).auth is auth


@pytest.mark.parametrize("text", ["keys", "none", "open,key", "key,key", "token,", "gateway,key"])
def test_other_methods_of_authentication_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not one of open, gateway, token, key, token,key"):
        Settings.from_env({"AUTH": text})


@pytest.mark.parametrize("environ", [{}, {"TRUSTED_PROXIES": " "}, {"TRUSTED_PROXIES": ","}], ids=str)
def test_a_gateway_needs_the_list_of_its_addresses(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"TRUSTED_PROXIES=.* must list the addresses of"):
        Settings.from_env({"AUTH": "gateway", **environ})


def test_a_gateway_may_have_several_networks() -> None:
    settings = Settings.from_env({"AUTH": "gateway", "TRUSTED_PROXIES": "10.1.0.0/24, fd12::7"})

    assert list(map(str, settings.trusted_proxies)) == ["10.1.0.0/24", "fd12::7/128"]


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "::/0", "10.1.0.0/24,0.0.0.0/0", "10.1.0.9/24", "gateway"])
def test_a_gateway_that_every_peer_could_be_is_refused(networks: str) -> None:
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXIES"):
        Settings.from_env({"AUTH": "gateway", "TRUSTED_PROXIES": networks})
