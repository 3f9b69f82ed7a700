import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.utils import ContainerMetadataFetcher

from bootstrap.aws.clients import (
    AwsAccess,
    cloudwatch_client,
    events_client,
    kms_client,
    patiently_storing_client,
    polling_client,
    publishing_client,
    relaying_client,
    s3_client,
    sqs_client,
    storing_client,
)
from bootstrap.aws.credentials import credentials_found
from bootstrap.container import build_container
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError, EventBusUnavailableError
from tests.support.aws.event_bridges import publisher
from tests.support.aws.silence import silent_endpoint
from tests.support.doubles.bus_faults import INTERNAL_ERROR, THROTTLED, Cut, Fault
from tests.support.doubles.stub_bus import StubBus
from tests.support.harness.loopback import use_proxy
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

four_threads = partial(relaying_client, threads=4)
CLIENTS = [
    publishing_client,
    four_threads,
    events_client,
    sqs_client,
    polling_client,
    kms_client,
    cloudwatch_client,
    s3_client,
]
KEYS = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = made-up\n"
SINGLE_SIGN_ON = """
sso_start_url = https://example.invalid/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = publisher
"""
ROLE_KEYS = {
    "Code": "Success",
    "AccessKeyId": "AKIDEXAMPLE",
    "SecretAccessKey": "made-up",
    "Token": "made-up",
    "Expiration": "2099-01-01T00:00:00Z",
}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")


@contextmanager
def serving(answers: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Serve these paths on the loopback interface; yield the URL and the first lines of the requests."""
    lines: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines.append(self.requestline)
            body = answers.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST = do_GET  # noqa: N815 - the names of `http.server`

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", lines
        finally:
            server.shutdown()
            thread.join()


# Clients


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_an_endpoint_on_this_machine_is_called_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with StubBus() as bus, serving({}) as (proxy, requests):
        use_proxy(monkeypatch, proxy)
        access = AwsAccess("us-east-1", bus.url.replace("127.0.0.1", host))
        publisher(four_threads(access)).publish(an_event())

    assert requests == []


@pytest.mark.usefixtures("keys")
def test_an_endpoint_elsewhere_is_called_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as (proxy, requests):
        use_proxy(monkeypatch, proxy)
        client = four_threads(AwsAccess("us-east-1", "http://aws.invalid"))
        with pytest.raises(EventBusUnavailableError):
            publisher(client).publish(an_event())

    assert requests == ["POST http://aws.invalid/ HTTP/1.1"]


@pytest.mark.parametrize("make", CLIENTS)
def test_clients_talk_to_the_region_and_endpoint_that_are_meant(make: Any) -> None:
    client = make(AwsAccess("eu-central-1", "http://127.0.0.1:4566"))

    assert client.meta.region_name == "eu-central-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"


ENDPOINTS = (
    "[services ours]\nsqs =\n  endpoint_url = http://profile-sqs.invalid\n[default]\nservices = ours\n"
)


@pytest.mark.parametrize(
    ("variables", "sqs", "events"),
    [
        ({"AWS_ENDPOINT_URL": "http://all.invalid"}, "http://all.invalid", "http://all.invalid"),
        (
            {"AWS_ENDPOINT_URL": "http://all.invalid", "AWS_ENDPOINT_URL_SQS": "http://sqs.invalid"},
            "http://sqs.invalid",
            "http://all.invalid",
        ),
        (
            {"AWS_ENDPOINT_URL_EVENTBRIDGE": "http://bus.invalid"},
            "http://profile-sqs.invalid",
            "http://bus.invalid",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://all.invalid", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://sqs.us-east-1.amazonaws.com",
            "https://events.us-east-1.amazonaws.com",
        ),
    ],
)
def test_each_service_has_the_endpoint_that_botocore_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], sqs: str, events: str
) -> None:
    (tmp_path / "config").write_text(ENDPOINTS, encoding="utf-8")
    for name, value in {**variables, "AWS_CONFIG_FILE": str(tmp_path / "config")}.items():
        monkeypatch.setenv(name, value)
    access = build_container(Settings.from_env(os.environ)).aws_access()

    assert sqs_client(access).meta.endpoint_url == sqs
    assert events_client(access).meta.endpoint_url == events


@pytest.mark.usefixtures("keys")
def test_a_service_on_this_machine_is_called_without_a_proxy_and_others_through_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with StubBus() as bus, serving({}) as (proxy, requests):
        use_proxy(monkeypatch, proxy)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", bus.url)
        access = AwsAccess("us-east-1", "http://aws.invalid")
        publisher(four_threads(access)).publish(an_event())
        with pytest.raises(ClientError):
            sqs_client(access).get_queue_url(QueueName="orders")

    assert requests == ["POST http://aws.invalid/ HTTP/1.1"]


def test_an_endpoint_that_is_no_url_is_a_wrong_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "localhost:4566")

    with pytest.raises(ConfigurationError, match="Invalid endpoint: localhost:4566"):
        sqs_client(AwsAccess("us-east-1"))


@pytest.mark.parametrize("make", CLIENTS)
def test_without_an_endpoint_clients_talk_to_aws(make: Any) -> None:
    assert make(AwsAccess("eu-central-1")).meta.endpoint_url.endswith(".amazonaws.com")


def test_clients_of_one_access_share_a_session_whichever_threads_make_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Session] = []

    class Noted(Session):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr("botocore.session.Session", Noted)
    access = AwsAccess("eu-central-1")
    with ThreadPoolExecutor(len(CLIENTS)) as threads:
        clients = list(threads.map(lambda make: make(access), CLIENTS))

    assert len(made) == 1
    assert {client.meta.region_name for client in clients} == {"eu-central-1"}
    assert len({client.meta.events for client in clients}) == len(clients)  # what one is told, others are not


@pytest.mark.parametrize(
    ("make", "connect_seconds", "read_seconds", "attempts"),
    [
        (publishing_client, 1, 1.5, 2),
        (four_threads, 3, 10, 1),
        (events_client, 3, 10, 3),
        (sqs_client, 3, 10, 3),
        (polling_client, 3, 30, 3),
        (kms_client, 3, 10, 3),
        (s3_client, 1, 10, 2),
        (storing_client, 1, 4, 1),
        (patiently_storing_client, 1, 10, 1),
    ],
)
def test_timeouts_and_attempts_are_explicit(
    make: Any, connect_seconds: float, read_seconds: float, attempts: int
) -> None:
    config = make(AwsAccess("eu-central-1")).meta.config

    assert (config.connect_timeout, config.read_timeout) == (connect_seconds, read_seconds)
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] == attempts
    assert config.tcp_keepalive


@pytest.mark.parametrize("seconds", [0.3, 2.0, 30.0, 300.0])
def test_the_tries_of_an_operators_call_share_its_time(seconds: float) -> None:
    config: Any = events_client(AwsAccess("eu-central-1", timeout_seconds=seconds)).meta.config

    assert config.connect_timeout <= config.read_timeout
    assert config.retries["total_max_attempts"] * config.read_timeout == pytest.approx(seconds)


def test_the_relay_has_a_connection_for_each_thread() -> None:
    config: Any = relaying_client(AwsAccess("eu-central-1"), threads=32).meta.config

    assert config.max_pool_connections == 32


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("fault", [INTERNAL_ERROR, THROTTLED, Cut.RESET], ids=str)
def test_the_relay_sees_every_failure(fault: Fault) -> None:
    with StubBus() as bus:
        bus.fail_next(fault)

        with pytest.raises(EventBusUnavailableError):
            publisher(relaying_client(AwsAccess("us-east-1", bus.url), threads=1)).publish(an_event())

        assert bus.calls == 1


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [("http://127.0.0.1:4566", "http://127.0.0.1:4566/orders/a"), (None, "https://orders.s3.")],
)
@pytest.mark.usefixtures("keys")
def test_objects_are_addressed_as_the_endpoint_understands(endpoint: str | None, address: str) -> None:
    client = s3_client(AwsAccess("eu-central-1", endpoint))

    signed = client.generate_presigned_url("get_object", Params={"Bucket": "orders", "Key": "a"})
    assert signed.startswith(address)


def test_a_profile_that_does_not_exist_stops_the_making_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "unknown")

    with pytest.raises(ConfigurationError, match="AWS_PROFILE='unknown'"):
        publishing_client(AwsAccess("us-east-1"))


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("fault", [INTERNAL_ERROR, THROTTLED, Cut.RESET, Cut.HANG], ids=str)
def test_publishing_gives_up_after_two_attempts(fault: Fault) -> None:
    with StubBus() as bus:
        bus.fail_always(fault)

        with pytest.raises(EventBusUnavailableError):
            publisher(publishing_client(AwsAccess("us-east-1", bus.url))).publish(an_event())

        wait_until(lambda: bus.calls == 2)


@pytest.mark.usefixtures("keys")
def test_a_second_attempt_may_succeed() -> None:
    with StubBus() as bus:
        bus.fail_next(INTERNAL_ERROR)

        assert publisher(publishing_client(AwsAccess("us-east-1", bus.url))).publish(an_event()).event_id


@pytest.mark.usefixtures("keys")
def test_a_bus_that_never_answers_is_given_up_soon() -> None:
    with silent_endpoint() as url:
        client = publishing_client(AwsAccess("us-east-1", url))

        with pytest.raises(EventBusUnavailableError, match="ReadTimeoutError: check the network"):
            publisher(client).publish(an_event())

    config: Any = client.meta.config
    assert config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout) <= 5


@pytest.mark.usefixtures("keys")
def test_an_unreachable_bus_is_given_up() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(EventBusUnavailableError, match="EndpointConnectionError: check the network"):
        publisher(publishing_client(AwsAccess("us-east-1", url))).publish(an_event())


def test_publishing_without_credentials_says_so() -> None:
    with (
        StubBus() as bus,
        pytest.raises(EventBusUnavailableError, match="NoCredentialsError: check the credentials"),
    ):
        publisher(publishing_client(AwsAccess("us-east-1", bus.url))).publish(an_event())


# Credentials


@pytest.mark.usefixtures("keys")
def test_credentials_in_the_environment_are_found() -> None:
    assert credentials_found()


def test_credentials_in_a_named_file_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"[default]\n{KEYS}")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

    assert credentials_found()


def test_credentials_in_the_home_folder_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(f"[default]\n{KEYS}")

    assert credentials_found()


@pytest.mark.process
@pytest.mark.parametrize(
    "profile",
    [
        KEYS,
        "role_arn = arn:aws:iam::123456789012:role/publisher\nsource_profile = base\n",
        SINGLE_SIGN_ON,
        'credential_process = /bin/echo \'{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}\'\n',
    ],
    ids=["keys", "role", "single sign-on", "process"],
)
def test_credentials_of_a_profile_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str
) -> None:
    file = tmp_path / "config"
    file.write_text(f"[profile work]\n{profile}\n[profile base]\n{KEYS}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))

    assert not credentials_found()
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert credentials_found()


def test_credentials_of_a_container_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/role": json.dumps(ROLE_KEYS)}) as (url, _):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/role")

        assert credentials_found()


def test_a_web_identity_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("made-up")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/publisher")

    assert credentials_found()


def test_a_profile_that_does_not_exist_is_named_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text(f"[profile production]\n{KEYS}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "prodction")

    with pytest.raises(ConfigurationError, match=r"AWS_PROFILE='prodction' .*\['production'\].* mean 'prod"):
        credentials_found()


def test_half_a_key_is_a_wrong_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")

    with pytest.raises(ConfigurationError, match="missing: AWS_SECRET_ACCESS_KEY"):
        credentials_found()


def test_a_container_whose_credentials_cannot_be_read_is_a_wrong_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    with serving({}) as (url, _):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/role")

        with pytest.raises(ConfigurationError, match="CredentialRetrievalError"):
            credentials_found()


# The metadata service of an instance


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Refuse connections, and collect their addresses."""
    attempted: list[Any] = []

    def connect(_socket: socket.socket, address: Any) -> None:
        attempted.append(address)
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return attempted


def test_an_absent_metadata_service_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, attempts: list[Any]
) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")

    assert not credentials_found()
    assert attempts == [("169.254.169.254", 80)]


@pytest.mark.usefixtures("keys")
def test_the_metadata_service_is_not_tried_where_credentials_were_found(
    monkeypatch: pytest.MonkeyPatch, attempts: list[Any]
) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")

    assert credentials_found()
    assert attempts == []


def test_the_metadata_service_is_not_tried_where_it_is_disabled(attempts: list[Any]) -> None:
    assert not credentials_found()
    assert attempts == []


@pytest.fixture
def metadata_endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    return lambda url: monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)


ROLES = "/latest/meta-data/iam/security-credentials/"


def test_a_proxy_that_stands_before_the_metadata_service_is_no_failure(
    metadata_endpoint: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving({"/latest/api/token": "t"}) as (url, _):
        metadata_endpoint(url)
        use_proxy(monkeypatch, f"http://127.0.0.1:{free_port()}")

        assert not credentials_found(Session())

    assert "add its address to NO_PROXY" in caplog.text


def test_the_role_of_an_instance_is_found(metadata_endpoint: Any) -> None:
    role = {"/latest/api/token": "t", ROLES: "publisher", f"{ROLES}publisher": json.dumps(ROLE_KEYS)}
    with serving(role) as (url, _):
        metadata_endpoint(url)

        assert credentials_found(Session())


def test_an_instance_without_a_role_has_no_credentials(metadata_endpoint: Any) -> None:
    with serving({"/latest/api/token": "t"}) as (url, _):
        metadata_endpoint(url)

        assert not credentials_found()


def test_a_metadata_service_that_does_not_answer_has_no_credentials(metadata_endpoint: Any) -> None:
    with silent_endpoint() as url:
        metadata_endpoint(url)

        assert not credentials_found()
