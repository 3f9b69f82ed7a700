"""Repeated uploads with `Idempotency-Key`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from dependency_injector import providers
from fastapi.testclient import TestClient

from adapters.in_memory import InMemoryIdempotency
from bootstrap.container import Container
from domain.model.errors import IdempotencyUnavailableError, TranscriberCrashedError
from domain.model.idempotency import FirstAnswer, Reservation
from entrypoints.api.app import create_app
from entrypoints.api.schemas import BatchResponse
from tests.support.databases.databases import Clock
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, wait_until

TENANT, OTHER_TENANT = str(uuid4()), str(uuid4())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine() -> FixedTranscriber:
    return FixedTranscriber(capacity=8)


@pytest.fixture
def container(tmp_path: Path, engine: FixedTranscriber) -> Container:
    return container_for(tmp_path / "spool", engine)


@pytest.fixture
def api(container: Container) -> Iterator[TestClient]:
    with TestClient(create_app(container), raise_server_exceptions=False) as client:
        yield client


@contextmanager
def service(container: Container, clock: Clock) -> Iterator[TestClient]:
    """Run the service with keys whose leases follow the clock of the test."""
    container.idempotency.override(providers.Object(InMemoryIdempotency(clock)))
    with TestClient(create_app(container), raise_server_exceptions=False) as client:
        yield client


def upload(
    api: TestClient,
    key: str | None,
    content: bytes = b"sound",
    tenant: str | None = TENANT,
    more: dict[str, str] | None = None,
    parameters: dict[str, Any] | None = None,
) -> Any:
    headers = {"Idempotency-Key": key, "X-Tenant-ID": tenant, **(more or {})}
    given = {name: value for name, value in headers.items() if value is not None}
    return api.post("/batch/process", files={"file": content}, data=parameters, headers=given)


def test_the_same_key_and_recording_gets_the_first_answer_and_publishes_one_event(
    api: TestClient, container: Container, engine: FixedTranscriber
) -> None:
    first, second = upload(api, "k1"), upload(api, "k1")

    assert first.status_code == second.status_code == 200
    assert second.json() == first.json()
    assert len(container.events().published) == len(engine.heard) == 1


def test_the_same_key_with_another_recording_is_refused(api: TestClient, container: Container) -> None:
    upload(api, "k1")

    response = upload(api, "k1", b"another sound")

    assert response.status_code == 422
    assert response.json()["type"] == "urn:batch-transcription:problem:idempotency-conflict"
    assert len(container.events().published) == 1


def test_a_duplicate_of_what_is_being_worked_on_is_refused_for_now(
    api: TestClient, engine: FixedTranscriber
) -> None:
    engine.held = True
    answers: list[Any] = []
    first = Thread(target=lambda: answers.append(upload(api, "k1")))
    first.start()
    wait_until(lambda: engine.heard)

    duplicate = upload(api, "k1")
    engine.let_go()
    first.join(60)

    assert duplicate.status_code == 409
    assert duplicate.json()["type"] == "urn:batch-transcription:problem:idempotency-in-progress"
    assert duplicate.headers["retry-after"] == "7"  # from the progress of the first request
    assert answers[0].status_code == 200
    assert upload(api, "k1").json() == answers[0].json()


def test_a_key_whose_server_died_is_free_after_a_minute_and_what_comes_late_overwrites_nothing(
    container: Container, engine: FixedTranscriber, clock: Clock
) -> None:
    engine.held = True
    answers: dict[str, Any] = {}
    with service(container, clock) as api:
        slow = Thread(target=lambda: answers.update(slow=upload(api, "k1")))
        other = Thread(target=lambda: answers.update(other=upload(api, "k1")))
        slow.start()
        wait_until(lambda: len(engine.heard) == 1)
        clock.advance(60)  # without a renewal, as if its server were dead
        other.start()
        wait_until(lambda: len(engine.heard) == 2)
        container.idempotent_requests().renew()
        engine.let_go()
        slow.join(60)
        other.join(60)

        assert answers["slow"].status_code == answers["other"].status_code == 200
        assert upload(api, "k1").json() == answers["other"].json()


def test_keys_of_one_tenant_are_not_anothers(api: TestClient, container: Container) -> None:
    ids = {upload(api, "k1", tenant=tenant).json()["interaction_id"] for tenant in (TENANT, OTHER_TENANT)}

    assert len(ids) == 2
    assert len(container.events().published) == 2


def test_tenants_that_are_no_uuids_do_not_share_an_answer(api: TestClient, container: Container) -> None:
    acme, globex, nameless = (upload(api, "k1", tenant=tenant).json() for tenant in ("acme", "globex", None))

    assert len({answer["interaction_id"] for answer in (acme, globex, nameless)}) == 3
    assert len(container.events().published) == 3
    assert upload(api, "k1", tenant="acme").json() == acme
    assert upload(api, "k1", tenant=None).json() == nameless
    assert len(container.events().published) == 3


def test_users_of_one_tenant_do_not_share_an_answer(api: TestClient, container: Container) -> None:
    users = [upload(api, "k1", more={"X-User-ID": user}).json()["user_id"] for user in ("alice", "bob")]

    assert users == ["alice", "bob"]
    assert len(container.events().published) == 2


def test_a_user_who_is_named_by_default_has_the_same_keys_as_one_who_is_sent(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), MOCK_USER_ID="alice")
    with TestClient(create_app(container)) as api:
        assert upload(api, "k1").json() == upload(api, "k1", more={"X-User-ID": "alice"}).json()


def test_the_same_key_and_recording_for_another_account_is_refused(
    api: TestClient, container: Container
) -> None:
    upload(api, "k1", more={"X-Account-ID": "one"})

    response = upload(api, "k1", more={"X-Account-ID": "two"})

    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (422, "idempotency-conflict")
    assert len(container.events().published) == 1


def test_the_same_key_and_recording_with_other_parameters_is_refused(
    api: TestClient, container: Container
) -> None:
    first = upload(api, "k1", parameters={"channels": "separate"})
    repeated = upload(api, "k1", parameters={"channels": "separate"})

    other = upload(api, "k1", parameters={"tracks": "all"})

    assert repeated.json() == first.json()
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-conflict")
    assert len(container.events().published) == 1


@pytest.mark.parametrize("name", ["language", "vocabulary"])
def test_language_and_vocabulary_belong_to_what_is_asked(api: TestClient, name: str) -> None:
    upload(api, "k1", parameters={name: "de"})

    other = upload(api, "k1", parameters={name: "en"})

    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-conflict")


def test_a_vocabulary_is_the_same_however_it_is_written(api: TestClient) -> None:
    first = upload(api, "k1", parameters={"vocabulary": "Acme, Zoë"})

    repeated = upload(api, "k1", parameters={"vocabulary": ["Acme", "Zoë"]})

    assert repeated.json() == first.json()


def test_a_repetition_may_ask_for_subtitles_of_the_first_answer(
    api: TestClient, container: Container, engine: FixedTranscriber
) -> None:
    first = upload(api, "k1")

    subtitles = upload(api, "k1", more={"Accept": "text/vtt"})

    assert subtitles.text.startswith("WEBVTT")
    assert first.json()["segments"][0]["text"] in subtitles.text
    assert len(container.events().published) == len(engine.heard) == 1


def test_an_answer_of_the_version_before_is_given_again(api: TestClient) -> None:
    """It knows nothing of engine, model, language and quality."""
    stored = upload(api, "k1").json()
    older = {name: value for name, value in stored.items() if name != "quality"}

    assert BatchResponse.model_validate(older).model_dump(mode="json") == stored


def test_a_repeated_upload_with_its_interaction_id_gets_the_first_answer(api: TestClient) -> None:
    interaction = {"X-Interaction-ID": str(uuid4())}

    first, second = upload(api, "k1", more=interaction), upload(api, "k1", more=interaction)

    assert first.json()["interaction_id"] == interaction["X-Interaction-ID"]
    assert second.json() == first.json()


def test_without_a_key_every_upload_is_a_new_one(api: TestClient, container: Container) -> None:
    upload(api, None)
    upload(api, None)

    assert len(container.events().published) == 2


def test_what_failed_may_be_tried_again(tmp_path: Path) -> None:
    engine = FixedTranscriber(error=TranscriberCrashedError("killed"))
    with TestClient(create_app(container_for(tmp_path / "spool", engine))) as api:
        assert upload(api, "k1").status_code == 500
        engine.error = None

        assert upload(api, "k1").status_code == 200


def test_a_key_survives_a_restart_of_the_service(tmp_path: Path) -> None:
    answers = []
    for _ in range(2):
        with TestClient(create_app(container_for(tmp_path / "spool", FixedTranscriber()))) as api:
            answers.append(upload(api, "k1").json())

    assert answers[0] == answers[1]


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "a\tb"])
def test_a_key_that_cannot_be_used_is_refused(api: TestClient, key: str) -> None:
    response = upload(api, key)

    assert response.status_code == 400
    assert response.json()["type"] == "urn:batch-transcription:problem:invalid-idempotency-key"


class UnavailableKeys(InMemoryIdempotency):
    """Store that fails when it finishes, and at `step`."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def begin(
        self, tenant_id: UUID, key: str, fingerprint: str, /, *, lease_seconds: float
    ) -> Reservation | FirstAnswer:
        if self._step == "begin":
            raise IdempotencyUnavailableError("the database is away")
        return super().begin(tenant_id, key, fingerprint, lease_seconds=lease_seconds)

    def finish(self, *_: object) -> bool:
        raise IdempotencyUnavailableError("the disk is full")


def test_an_upload_is_refused_while_its_key_cannot_be_looked_up(container: Container) -> None:
    container.idempotency.override(providers.Object(UnavailableKeys("begin")))
    with TestClient(create_app(container)) as api:
        response = upload(api, "k1")

        assert response.status_code == 503
        assert container.events().published == ()
        assert upload(api, None).status_code == 200


def test_an_answer_that_cannot_be_stored_is_still_given(container: Container) -> None:
    container.idempotency.override(providers.Object(UnavailableKeys("finish")))
    with TestClient(create_app(container)) as api:
        assert upload(api, "k1").status_code == 200
