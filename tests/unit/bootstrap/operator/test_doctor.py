"""Checks of the doctor; an error in one does not affect the others."""

import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import boto3
import pytest
from dependency_injector import providers
from moto import mock_aws

from adapters.speech.workers.program import Program
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.tables import SCHEMA_REVISION
from bootstrap.aws.caller import CallerIdentity
from bootstrap.container import Container, build_container
from bootstrap.factories.database import prepare_database
from bootstrap.operator import doctor
from bootstrap.operator.doctor import examine, worker_for
from bootstrap.operator.examination import Check, CheckResult
from bootstrap.operator.recordings import store_of_recordings
from bootstrap.settings import Settings
from domain.model.errors import (
    CredentialsRefusedError,
    InfrastructureError,
    OutboxUnavailableError,
    TranscriberUnavailableError,
)
from domain.model.outbox import OutboxCounts, Rejected
from domain.model.route.route import Finding, RouteComponent
from tests.integration.localstack import SHARED_FOLDER
from tests.support.aws.transcribe import BUCKET, REGION, amazon
from tests.support.databases.databases import postgresql_server
from tests.support.doubles.route import Diagnosed
from tests.support.harness.ports import free_port
from tests.support.openai.server import KEY, openai_server
from tests.support.samples.factories import an_event

AN_ACCOUNT = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "hunter2-hunter2"}
BROKEN = Finding(RouteComponent.RULE, "the rule is disabled", "its state is DISABLED", "enable it")
NO_BUCKET = Finding(RouteComponent.PAYLOAD_BUCKET, "it does not exist", "S3 knows none", "make one")

Build = Callable[..., Container]
Examined = dict[str, Check]


class _Route(Diagnosed):
    """Route with findings."""

    def provision(self, *, archive_days: int | None = None) -> NoReturn:  # noqa: ARG002 - it is not reached
        raise AssertionError("a doctor makes nothing")


class _Bucket:
    """Payload store with findings."""

    def __init__(self, *findings: Finding) -> None:
        self._findings = findings

    def diagnose(self) -> tuple[Finding, ...]:
        return self._findings


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    def build(**environ: str) -> Container:
        for name, value in environ.items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        own = {
            "EVENT_TRANSPORT": "noop",
            "DATABASE_URL": f"sqlite:///{tmp_path}/var/transcripts.db",
            "SPOOL_DIR": str(tmp_path / "spool"),
            "RECORDING_STORE": str(tmp_path / "recordings"),
            "MIN_FREE_BYTES": "0",
        }
        return build_container(Settings.from_env({**own, **environ}))

    return build


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the worker process, which takes a second; return the engines that were started."""
    started: list[str] = []

    class Worker:
        engine = None

        def __init__(self, program: Program) -> None:
            started.append(program.name)

        async def start(self) -> None: ...

        async def stop(self) -> None: ...

    monkeypatch.setattr(doctor, "worker_for", Worker)
    return started


def examined(container: Container) -> Examined:
    return {check.name: check for check in examine(container, seconds=60)}


def test_a_service_that_has_run_is_looked_at_from_top_to_bottom(container: Build) -> None:
    healthy = container()
    healthy.database().close()

    checks = examined(healthy)

    assert list(checks) == [
        "python",
        "boto3",
        "sqlite",
        "ffmpeg",
        "variables",
        "callers",
        "workers",
        "engine",
        "decoder",
        "redactor",
        "database",
        "outbox",
        "space for uploads",
        "space for events",
        "credentials",
        "route",
        "payload bucket",
        "recordings",
    ]
    assert {check.verdict for name, check in checks.items() if name != "ffmpeg"} == {CheckResult.OK}
    assert checks["database"].found == "SQLite: journal_mode=wal, synchronous=FULL"
    assert checks["outbox"].found == "0 waiting, 0 rejected, 0 published"
    assert checks["route"].found == "not checked: events go to noop"


def test_an_engine_and_a_cleaner_on_the_network_are_asked_instead_of_started(
    container: Build, engine: list[str]
) -> None:
    with openai_server() as server:
        server.models = ("gpt-transcribe", "tidy-1")
        chosen = {"TRANSCRIBER": "openai", "CLEANER": "openai", "CLEANER_MODEL": "tidy-1"}
        checks = examined(container(**chosen, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY))

    assert {checks[name].verdict for name in ("engine", "cleaner", "decoder")} == {CheckResult.OK}
    assert engine == ["reader"]


def test_before_the_first_start_nothing_is_made(container: Build, tmp_path: Path) -> None:
    check = examined(container())["database"]

    assert check.verdict is CheckResult.WARNING
    assert check.found == f"{tmp_path}/var/transcripts.db does not exist yet"
    assert list(tmp_path.iterdir()) == []


def test_an_sqlite_with_the_wal_reset_race_is_a_warning(
    container: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ModuleType("sqlite3.dbapi2")
    old.__dict__.update(sqlite_version="3.40.1", sqlite_version_info=(3, 40, 1))
    monkeypatch.setattr(doctor, "library", old)

    check = examined(container())["sqlite"]

    assert check.verdict is CheckResult.WARNING
    assert check.found.startswith("3.40.1 of sqlite3: its WAL can lose commits")


@pytest.mark.parametrize(("version", "verdict"), [("8.1.2", CheckResult.WARNING), ("8.1.3", CheckResult.OK)])
def test_an_ffmpeg_with_known_holes_is_a_warning(
    container: Build, monkeypatch: pytest.MonkeyPatch, version: str, verdict: CheckResult
) -> None:
    monkeypatch.setattr(doctor, "ffmpeg_version", lambda: version)

    check = examined(container())["ffmpeg"]

    assert check.verdict is verdict
    assert check.found.startswith(version)


def test_events_that_are_parked_are_a_warning_with_the_way_to_see_them(container: Build) -> None:
    service = container()
    outbox = service.outbox()
    outbox.record([Rejected(outbox.add(an_event(), lease_seconds=60), "MalformedDetail")])
    outbox.add(an_event())

    check = examined(service)["outbox"]

    assert check.verdict is CheckResult.WARNING
    assert re.fullmatch(r"1 waiting \(the oldest for \d+ s\), 1 rejected, 0 published", check.found)
    assert check.remedy == "See `transcripts outbox list --state rejected`."


@pytest.mark.parametrize(("seconds", "verdict"), [(1.0, CheckResult.OK), (86_400.0, CheckResult.WARNING)])
def test_events_that_wait_too_long_are_a_warning(
    container: Build, monkeypatch: pytest.MonkeyPatch, seconds: float, verdict: CheckResult
) -> None:
    service = container()
    service.database()
    monkeypatch.setattr(SqlOutbox, "counts", lambda _: OutboxCounts(7, 0, 0, seconds))

    check = examined(service)["outbox"]

    assert check.verdict is verdict
    assert "check that it runs" in check.remedy or verdict is CheckResult.OK


def test_a_database_of_another_version_is_left_as_it_is(container: Build) -> None:
    service = container()
    with service.database().writing(OutboxUnavailableError) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    checks = [examined(service)["outbox"] for _ in range(2)]

    assert {check.verdict for check in checks} == {CheckResult.WARNING}
    assert checks[1].found == f"the schema is 0000; this version of the service needs {SCHEMA_REVISION}"


@pytest.mark.process
def test_a_postgresql_that_confirms_too_early_is_wrong(container: Build) -> None:
    with postgresql_server(Path(os.environ[SHARED_FOLDER])) as server:
        url = server.new_url()
        prepare_database(url).close()
        sound = examined(container(DATABASE_URL=url))
        name = url.partition("?")[0].rpartition("/")[2]
        server.run(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        lying = examined(container(DATABASE_URL=url))

    assert sound["database"].verdict is CheckResult.OK
    assert sound["database"].found.startswith("PostgreSQL: server_version=")
    assert "space for events" not in sound
    assert lying["database"].verdict is CheckResult.WRONG
    assert "synchronous_commit=off" in lying["database"].found
    assert lying["database"].remedy.startswith("Switch on synchronous_commit")


@pytest.mark.parametrize("url", ["mysql://me:hunter2@host/name", "postgresql+psycopg://me:hunter2@{}/name"])
def test_an_unreachable_database_is_wrong_and_named_without_its_password(container: Build, url: str) -> None:
    checks = examined(container(DATABASE_URL=url.format(f"127.0.0.1:{free_port()}")))

    assert checks["database"].verdict is CheckResult.WRONG
    assert "hunter2" not in str(checks)
    assert checks["route"].verdict is CheckResult.OK


NO_INODES = os.statvfs_result((4096, 4096, 10**9, 10**9, 10**9, 1000, 0, 0, 0, 255))


@pytest.mark.parametrize(
    ("least", "file_system", "found"),
    [
        (2**60, None, "less than MIN_FREE_BYTES (1152921504606846976)"),
        (0, NO_INODES, "no inode for another file"),
    ],
    ids=["few bytes", "no inodes"],
)
def test_a_full_disk_is_wrong_for_uploads_and_for_events(
    container: Build, monkeypatch: pytest.MonkeyPatch, least: int, file_system: object, found: str
) -> None:
    if file_system:
        monkeypatch.setattr(os, "statvfs", lambda _: file_system)

    checks = examined(container(MIN_FREE_BYTES=str(least)))

    assert checks["space for uploads"].verdict is CheckResult.WRONG
    assert checks["space for events"].verdict is CheckResult.WRONG
    assert found in checks["space for uploads"].found


@pytest.mark.parametrize(
    ("transport", "verdict"),
    [
        ("eventbridge", CheckResult.WRONG),
        ("auto", CheckResult.WARNING),
        ("memory", CheckResult.OK),
        ("noop", CheckResult.OK),
    ],
)
def test_credentials_that_are_missing_matter_where_they_are_needed(
    container: Build, transport: str, verdict: CheckResult
) -> None:
    service = container(EVENT_TRANSPORT=transport)
    service.completed.infrastructure.override(providers.Object(_Route()))

    assert examined(service)["credentials"].verdict is verdict


@pytest.fixture(autouse=True)
def sts(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    """Let STS answer, or fail with this error."""

    def answer(error: Exception | None) -> None:
        def caller(_access: object) -> CallerIdentity:
            if error:
                raise error
            return CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/publisher")

        monkeypatch.setattr(doctor, "caller_identity", caller)

    answer(None)
    return answer


def test_credentials_that_aws_can_only_refuse_are_named(container: Build) -> None:
    quoted = {name: f'"{value}"' for name, value in AN_ACCOUNT.items()}

    check = examined(container(EVENT_TRANSPORT="eventbridge", **quoted))["credentials"]

    assert check.verdict is CheckResult.WRONG
    assert check.found.startswith(
        "The AWS credentials cannot be used: AWS_ACCESS_KEY_ID is in quotation marks"
    )


def test_a_misspelt_variable_is_a_warning(container: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTBRIDGE_BUS", "company")

    check = examined(container())["variables"]

    assert check == Check(
        "variables", CheckResult.WARNING, "EVENTBRIDGE_BUS is unknown", "Did you mean EVENTBRIDGE_BUS_NAME?"
    )


def test_credentials_are_told_by_their_owner_and_never_quoted(container: Build) -> None:
    service = container(EVENT_TRANSPORT="auto", **AN_ACCOUNT)
    service.completed.infrastructure.override(providers.Object(_Route()))

    checks = examined(service)

    found = "account 123456789012, arn:aws:iam::123456789012:user/publisher"
    assert checks["credentials"] == Check("credentials", CheckResult.OK, found)
    assert [secret for secret in AN_ACCOUNT.values() if secret in str(checks)] == []


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (CredentialsRefusedError("asking STS failed: InvalidClientTokenId"), CheckResult.WRONG),
        (InfrastructureError("asking STS failed: EndpointConnectionError"), CheckResult.UNKNOWN),
    ],
)
def test_credentials_that_aws_refuses_are_wrong_and_those_it_does_not_answer_for_unknown(
    container: Build, sts: Callable[[Exception], None], error: Exception, verdict: CheckResult
) -> None:
    sts(error)
    service = container(EVENT_TRANSPORT="eventbridge", **AN_ACCOUNT)
    service.completed.infrastructure.override(providers.Object(_Route()))

    check = examined(service)["credentials"]

    assert (check.verdict, check.found) == (verdict, str(error))
    assert check.failed


def test_credentials_that_no_transport_needs_are_not_checked(container: Build) -> None:
    check = examined(container(EVENT_TRANSPORT="noop", **AN_ACCOUNT))["credentials"]

    assert check.verdict is CheckResult.OK
    assert check.found == "found, not checked: EVENT_TRANSPORT=noop needs none"


def test_a_profile_that_is_not_there_is_wrong_and_named(container: Build) -> None:
    check = examined(container(EVENT_TRANSPORT="eventbridge", AWS_PROFILE="unknown"))["credentials"]

    assert check.verdict is CheckResult.WRONG
    assert check.found.startswith("AWS_PROFILE='unknown' is not a profile")


def test_a_sound_route_is_reported_by_its_names(container: Build) -> None:
    service = container(EVENT_TRANSPORT="eventbridge", EVENTBRIDGE_BUS_NAME="company", **AN_ACCOUNT)
    service.completed.infrastructure.override(providers.Object(_Route()))

    check = examined(service)["route"]

    assert check.verdict is CheckResult.OK
    assert check.found.startswith("bus company, rule capture-transcripts-rule and its target ")


def test_a_sound_route_of_a_topic_is_reported_by_its_names(container: Build) -> None:
    service = container(EVENT_TRANSPORT="sns", SNS_TOPIC_NAME="company", **AN_ACCOUNT)
    service.completed.infrastructure.override(providers.Object(_Route()))

    check = examined(service)["route"]

    assert check.found == "topic company and its queue meeting-transcripts-queue are as provisioned"


@pytest.mark.parametrize(("proven", "verdict"), [(True, CheckResult.WRONG), (False, CheckResult.UNKNOWN)])
def test_each_finding_of_the_route_is_a_check(
    container: Build, *, proven: bool, verdict: CheckResult
) -> None:
    service = container(EVENT_TRANSPORT="eventbridge", **AN_ACCOUNT)
    service.completed.infrastructure.override(providers.Object(_Route(BROKEN._replace(proven=proven))))

    checks = examined(service)

    assert checks["rule"] == Check(
        "rule", verdict, "the rule is disabled: its state is DISABLED", "enable it"
    )
    assert "route" not in checks


def test_without_a_payload_bucket_it_says_what_becomes_of_large_transcripts(container: Build) -> None:
    check = examined(container())["payload bucket"]

    assert check.verdict is CheckResult.OK
    assert check.found == "PAYLOAD_BUCKET is not set: a transcript that is too large for an event is parked"


def test_a_payload_bucket_that_nothing_goes_to_is_not_looked_at(container: Build) -> None:
    service = container(PAYLOAD_BUCKET="my-transcripts", **AN_ACCOUNT)
    service.payloads.override(providers.Object(_Bucket(NO_BUCKET)))

    check = examined(service)["payload bucket"]

    assert check == Check("payload bucket", CheckResult.OK, "not checked: events go to noop")


@pytest.mark.parametrize(
    ("findings", "verdict", "found"),
    [
        ((), CheckResult.OK, "my-transcripts exists, and seems to accept transcripts"),
        ((NO_BUCKET,), CheckResult.WRONG, "it does not exist: S3 knows none"),
        ((NO_BUCKET._replace(proven=False),), CheckResult.UNKNOWN, "it does not exist: S3 knows none"),
    ],
    ids=["sound", "proven", "not proven"],
)
def test_a_payload_bucket_is_looked_at_where_events_go_to_eventbridge(
    container: Build, findings: tuple[Finding, ...], verdict: CheckResult, found: str
) -> None:
    service = container(EVENT_TRANSPORT="eventbridge", PAYLOAD_BUCKET="my-transcripts", **AN_ACCOUNT)
    service.completed.infrastructure.override(providers.Object(_Route()))
    service.payloads.override(providers.Object(_Bucket(*findings)))

    check = examined(service)["payload bucket"]

    assert check.verdict is verdict
    assert check.found.startswith(found)
    assert check.remedy == ("make one" if findings else "")


def test_an_unexpected_error_fails_its_own_check_only(
    container: Build, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> NoReturn:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(doctor, "ffmpeg_version", broken)

    checks = examined(container())

    assert checks["ffmpeg"].verdict is CheckResult.UNKNOWN
    assert checks["ffmpeg"].found == "could not be looked at: RuntimeError"
    assert "hunter2" not in str(checks)
    assert checks["route"].verdict is CheckResult.OK
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.message, record.__dict__["check"]) == ("check failed with an unexpected error", "ffmpeg")


def test_a_pyav_that_cannot_be_loaded_is_wrong(
    container: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "av.py").write_text("raise ImportError('libavcodec.so')\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "av", raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    check = examined(container())["ffmpeg"]

    assert check.verdict is CheckResult.UNKNOWN
    assert "ImportError" in check.found


def test_an_installation_without_an_engine_is_not_wrong(
    container: Build, engine: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)

    checks = examined(container())

    assert (checks["ffmpeg"].verdict, checks["ffmpeg"].found) == (
        CheckResult.OK,
        "PyAV is not installed: this machine cannot transcribe",
    )
    assert checks["engine"].verdict is CheckResult.OK
    assert engine == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_to_is_wrong(container: Build, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    check = examined(container(SPOOL_DIR=str(tmp_path / place)))["space for uploads"]

    assert check.verdict is CheckResult.WRONG
    assert check.found == f"{tmp_path}/file is not a folder that this user can write to"


def test_the_workers_and_what_decided_on_them_are_told(container: Build) -> None:
    check = examined(container(TRANSCRIBER_WORKERS="3"))["workers"]

    assert check.verdict is CheckResult.OK
    assert re.fullmatch(r"3, for [0-9.]+ cores and [0-9.]+ GiB of memory", check.found)


def test_the_configured_engine_transcribes_half_a_second(container: Build, engine: list[str]) -> None:
    check = examined(container(TRANSCRIBER="canned"))["engine"]

    assert check.verdict is CheckResult.OK
    assert check.found.startswith("canned transcribed half a second of sound, ")
    assert engine == ["canned", "reader"]


@pytest.mark.process
@pytest.mark.parametrize("transcriber", ["faster-whisper", "canned"])
def test_the_engine_runs_in_a_real_worker_process(
    container: Build, monkeypatch: pytest.MonkeyPatch, transcriber: str
) -> None:
    monkeypatch.setattr(doctor, "worker_for", worker_for)

    checks = examined(container(TRANSCRIBER=transcriber))

    assert checks["engine"].verdict is CheckResult.OK, checks
    assert checks["engine"].found.startswith(f"{transcriber} transcribed half a second of sound")
    assert checks["decoder"].verdict is CheckResult.OK, checks


@pytest.mark.process
def test_model_device_and_numbers_of_the_engine_are_told(
    container: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "worker_for", worker_for)

    check = examined(container(TRANSCRIBER_DEVICE="cpu"))["engine"]

    assert "with tiny.en (package) on cpu (no GPU seen), int8, ready " in check.found


@pytest.mark.process
def test_a_language_that_the_model_does_not_know_is_wrong(
    container: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "worker_for", worker_for)

    check = examined(container(TRANSCRIBER_LANGUAGE="de"))["engine"]

    assert check.verdict is CheckResult.WRONG
    assert "TRANSCRIBER_LANGUAGE is 'de', which the model tiny.en does not know" in check.found


def test_a_model_that_is_no_model_is_wrong(container: Build, tmp_path: Path) -> None:
    check = examined(container(TRANSCRIBER_MODEL=str(tmp_path)))["engine"]

    assert check.verdict is CheckResult.WRONG
    assert "model.bin, config.json, tokenizer.json missing" in check.found


def test_an_engine_that_cannot_transcribe_is_wrong(container: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []

    class Broken:
        def __init__(self, _program: Program) -> None: ...

        async def start(self) -> None:
            raise TranscriberUnavailableError(
                "The transcriber 'faster-whisper' could not be started. No model."
            )

        async def stop(self) -> None:
            ended.append(True)

    monkeypatch.setattr(doctor, "worker_for", Broken)

    check = examined(container())["engine"]

    assert (check.verdict, set(ended)) == (CheckResult.WRONG, {True})
    assert "No model." in check.found


@pytest.mark.parametrize(
    ("bucket", "verdict", "found"),
    [
        (BUCKET, CheckResult.OK, f"Amazon Transcribe in {REGION} with the bucket {BUCKET}; both answer"),
        ("nowhere", CheckResult.WRONG, "the bucket nowhere does not exist"),
        ("", CheckResult.WRONG, "needs TRANSCRIBE_BUCKET"),
    ],
)
def test_amazon_transcribe_is_asked_and_the_decoder_proved(
    container: Build, engine: list[str], bucket: str, verdict: CheckResult, found: str
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
    with amazon():
        checks = examined(container(TRANSCRIBER="amazon-transcribe", TRANSCRIBE_BUCKET=bucket, **keys))

    assert checks["engine"].verdict is verdict
    assert found in checks["engine"].found
    assert checks["decoder"].verdict is CheckResult.OK
    assert engine == ["reader"]


def test_a_folder_of_recordings_needs_room(container: Build, tmp_path: Path) -> None:
    check = examined(container(MIN_FREE_BYTES=str(2**60)))["recordings"]

    assert check.verdict is CheckResult.WRONG
    assert str(tmp_path / "recordings") in check.found


def test_a_bucket_of_recordings_is_tried_and_left_as_it_was(container: Build) -> None:
    service = container(RECORDING_STORE="s3://calls/team", DATA_DIR="var", **AN_ACCOUNT)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        missing = _recordings(service)
        s3.create_bucket(Bucket="calls")
        found = _recordings(service)
        left = s3.list_objects_v2(Bucket="calls")["KeyCount"]

    assert (missing.verdict, found.verdict, left) == (CheckResult.WRONG, CheckResult.OK, 0)
    assert "NoSuchBucket" in missing.found
    assert "s3:PutObject" in missing.remedy
    assert found.found == "s3://calls/team stored, returned and deleted a probe"


def _recordings(service: Container) -> Check:
    return store_of_recordings(service.settings(), service.aws_access, _no_folder)


def _no_folder(_name: str, _folder: Path, _floor: int) -> NoReturn:
    raise AssertionError("the store is a bucket")
