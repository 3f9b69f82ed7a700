"""Keys that are renewed by others, while a process runs that was started with the old ones."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from adapters.aws.s3.payload_store import S3PayloadStore
from adapters.aws.sqs.queue import SqsQueue
from bootstrap.aws import credentials as aws_credentials
from bootstrap.aws.clients import AwsAccess, consuming_client, publishing_client, relaying_client, s3_client
from domain.model.errors import EventBusRefusesUsError, InfrastructureError, PayloadStoreError
from domain.model.outbox import OutboxState
from tests.support.aws.event_bridges import publisher
from tests.support.doubles.stub_bus import ACCESS_DENIED, StubBus
from tests.support.harness.relay import RelayAtWork
from tests.support.samples.factories import an_event

OLD, NEW = "AKIDOLD", "AKIDNEW"
KEYS = f"aws_access_key_id = {NEW}\naws_secret_access_key = made-up\n"


class KeyFile:
    """A file that somebody else writes keys to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def hold(self, access_key: str, profile: str = "default") -> None:
        self.write(f"[{profile}]\naws_access_key_id = {access_key}\naws_secret_access_key = made-up\n")

    def write(self, text: str) -> None:
        other = self.path.with_suffix(".new")
        other.write_text(text)
        other.replace(self.path)


@pytest.fixture
def key_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KeyFile:
    file = KeyFile(tmp_path / "credentials")
    file.hold(OLD)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file.path))
    return file


# The main job


def test_a_relay_goes_on_with_keys_that_were_renewed_without_it(key_file: KeyFile) -> None:
    with StubBus() as bus:
        relay = RelayAtWork(publisher(relaying_client(AwsAccess("us-east-1", bus.url), threads=4)))
        relay.add()
        relay.work()
        bus.expire(OLD)
        relay.add(3)
        relay.work(seconds=300)
        assert "ExpiredTokenException" in str(relay.relay.status().paused)
        assert len(relay.ids(OutboxState.PUBLISHED)) == 1

        key_file.hold(NEW)
        relay.work()

    assert len(relay.ids(OutboxState.PUBLISHED)) == len(bus.accepted) == 4
    assert relay.relay.status().paused is None


def test_an_event_that_is_published_while_a_caller_waits_uses_renewed_keys(key_file: KeyFile) -> None:
    with StubBus() as bus:
        events = publisher(publishing_client(AwsAccess("us-east-1", bus.url)))
        events.publish(an_event())
        bus.expire(OLD)
        key_file.hold(NEW)
        with pytest.raises(EventBusRefusesUsError):
            events.publish(an_event())

        assert events.publish(an_event()).event_id


class Aws:
    """What AWS answers to any client: it refuses one key, and says nothing much otherwise.

    Attributes:
        keys: those that calls were signed with, in order.
    """

    def __init__(self, client: Any, refusal: bytes, answer: bytes = b"{}") -> None:
        self._refusal = refusal
        self._answer = answer
        self.keys: list[str] = []
        client.meta.events.register("before-send", self._respond)

    def _respond(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        signed = re.search("Credential=([^/]*)/", str(request.headers["Authorization"]))
        assert signed
        self.keys.append(signed[1])
        is_refused = signed[1] == OLD
        body = Body(self._refusal if is_refused else self._answer)
        return AWSResponse(request.url, 400 if is_refused else 200, HTTPHeaders(), body)


class Body:
    """As urllib3 would have it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def test_a_consumer_receives_with_renewed_keys(key_file: KeyFile) -> None:
    client = consuming_client(AwsAccess("us-east-1"), threads=1)
    url = json.dumps({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/orders"})
    aws = Aws(client, b'{"__type": "com.amazonaws.sqs#InvalidClientTokenId"}', url.encode())
    queue = SqsQueue(client, name="orders")
    with pytest.raises(InfrastructureError, match="InvalidClientTokenId"):
        queue.receive(1, visibility_timeout=30)
    key_file.hold(NEW)

    assert queue.receive(1, visibility_timeout=30) == ()
    assert aws.keys == [OLD, NEW, NEW]


def test_large_transcripts_are_stored_with_renewed_keys(key_file: KeyFile) -> None:
    client = s3_client(AwsAccess("us-east-1"))
    aws = Aws(client, b"<Error><Code>ExpiredToken</Code></Error>", b"")
    store = S3PayloadStore(client, bucket="transcripts")
    with pytest.raises(PayloadStoreError, match="ExpiredToken"):
        store.store(an_event())
    key_file.hold(NEW)

    store.store(an_event())
    assert aws.keys == [OLD, NEW]


# Where keys come from


def refused_once(bus: StubBus) -> Any:
    """A publisher whose keys were good, and are no longer."""
    events = publisher(publishing_client(AwsAccess("us-east-1", bus.url)))
    events.publish(an_event())
    bus.expire(OLD)
    with pytest.raises(EventBusRefusesUsError):
        events.publish(an_event())
    return events


def test_keys_that_are_good_are_read_once(key_file: KeyFile) -> None:
    with StubBus() as bus:
        events = publisher(publishing_client(AwsAccess("us-east-1", bus.url)))
        events.publish(an_event())
        bus.expire(NEW)
        key_file.hold(NEW)

        assert events.publish(an_event()).event_id


def test_a_missing_permission_is_not_the_keys_fault(key_file: KeyFile) -> None:
    with StubBus() as bus:
        events = publisher(publishing_client(AwsAccess("us-east-1", bus.url)))
        bus.fail_next(ACCESS_DENIED)
        key_file.hold(NEW)
        with pytest.raises(EventBusRefusesUsError):
            events.publish(an_event())
        bus.expire(NEW)

        assert events.publish(an_event()).event_id


@pytest.mark.parametrize(
    "meanwhile",
    ["", "[default]\naws_access_key_id = AKIDNEW\n", "no ini file", f"[other]\n{KEYS}"],
    ids=["empty", "half a key", "garbage", "another profile"],
)
def test_a_file_that_is_only_half_written_is_read_again(key_file: KeyFile, meanwhile: str) -> None:
    with StubBus() as bus:
        events = refused_once(bus)
        key_file.write(meanwhile)
        with pytest.raises(EventBusRefusesUsError):
            events.publish(an_event())
        key_file.hold(NEW)

        assert events.publish(an_event()).event_id


def test_a_file_that_cannot_be_read_is_told_without_what_it_holds(
    key_file: KeyFile, caplog: pytest.LogCaptureFixture
) -> None:
    with StubBus() as bus:
        events = refused_once(bus)
        key_file.write("[default]\naws_access_key_id = AKIDNEW\n")
        with pytest.raises(EventBusRefusesUsError):
            events.publish(an_event())

    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", "AWS credentials could not be looked up again")
    assert vars(record)["error_type"] == "PartialCredentialsError"
    assert NEW not in str(vars(record))


def test_nobody_elses_keys_are_taken_while_the_file_is_away(
    key_file: KeyFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with StubBus() as bus:
        events = refused_once(bus)
        config = KeyFile(tmp_path / "config")
        config.hold("AKIDOTHER")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config.path))
        key_file.path.unlink()
        with pytest.raises(EventBusRefusesUsError):
            events.publish(an_event())
        key_file.hold(NEW)

        assert events.publish(an_event()).event_id


def test_keys_of_a_profile_are_renewed_in_the_configuration_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = KeyFile(tmp_path / "config")
    config.hold(OLD, "profile work")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config.path))
    monkeypatch.setenv("AWS_PROFILE", "work")
    with StubBus() as bus:
        events = refused_once(bus)
        config.hold(NEW, "profile work")

        assert events.publish(an_event()).event_id


def test_a_program_that_gives_keys_is_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer, config = tmp_path / "answer", tmp_path / "config"
    answer.write_text(json.dumps({"Version": 1, "AccessKeyId": OLD, "SecretAccessKey": "made-up"}))
    config.write_text(f"[default]\ncredential_process = /bin/cat {answer}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with StubBus() as bus:
        events = refused_once(bus)
        answer.write_text(json.dumps({"Version": 1, "AccessKeyId": NEW, "SecretAccessKey": "made-up"}))

        assert events.publish(an_event()).event_id


class Roles(ThreadingHTTPServer):
    """Gives a role to everybody whose key has not expired, for so short a time that each call asks anew."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RolesHandler)
        self.expired: set[str] = set()
        self.given = 0

    def answer(self, authorization: str) -> tuple[int, str]:
        if any(f"Credential={key}/" in authorization for key in self.expired):
            return 403, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"
        self.given += 1
        until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        keys = f"<AccessKeyId>ASIA{self.given}</AccessKeyId><SecretAccessKey>made-up</SecretAccessKey>"
        given = (
            f"<Credentials>{keys}<SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials>"
        )
        return (
            200,
            f"<AssumeRoleResponse><AssumeRoleResult>{given}</AssumeRoleResult></AssumeRoleResponse>",
        )


class _RolesHandler(BaseHTTPRequestHandler):
    server: Roles

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.answer(self.headers["Authorization"])
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def roles(monkeypatch: pytest.MonkeyPatch) -> Iterator[Roles]:
    with Roles() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_keys_behind_a_role_may_be_renewed_again_and_again(
    key_file: KeyFile, roles: Roles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/publisher\nsource_profile = default\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "work")
    with StubBus() as bus:
        events = publisher(publishing_client(AwsAccess("us-east-1", bus.url)))
        for number in range(3):
            assert events.publish(an_event()).event_id
            roles.expired.add(f"AKID{number - 1}" if number else OLD)
            with pytest.raises(EventBusRefusesUsError, match="ExpiredToken at AssumeRole"):
                events.publish(an_event())
            key_file.hold(f"AKID{number}")


def test_many_threads_that_are_refused_look_once(key_file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Session] = []

    def get_session() -> Session:
        looks.append(Session())
        return looks[-1]

    with StubBus() as bus, ThreadPoolExecutor(8) as threads:
        events = refused_once(bus)
        monkeypatch.setattr(aws_credentials, "get_session", get_session)
        key_file.hold(NEW)
        published = list(threads.map(lambda _: events.publish(an_event()), range(8)))

    assert len(published) == 8
    assert len(looks) == 1
