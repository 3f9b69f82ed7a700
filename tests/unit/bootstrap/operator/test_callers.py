"""What the doctor says of callers."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from bootstrap.container import Container, build_container
from bootstrap.operator.callers import callers
from bootstrap.operator.examination import Check, CheckResult
from bootstrap.settings import Settings
from domain.model.access import ALL_SCOPES
from domain.model.api_keys import KeyGrant
from domain.model.errors import ConfigurationError, OutboxUnavailableError

OPEN = "open to all: /health/live, /health/ready, /docs, /openapi.json"
Build = Callable[..., Container]


@pytest.fixture
def container(tmp_path: Path) -> Build:
    def build(**environ: str) -> Container:
        return build_container(
            Settings.from_env({"DATABASE_URL": f"sqlite:///{tmp_path}/transcripts.db", **environ})
        )

    return build


def examined(container: Container) -> Check:
    (check,) = callers(container)
    assert OPEN in check.found
    return check


def test_callers_on_this_machine_may_name_themselves(container: Build) -> None:
    check = examined(container())

    assert (check.verdict, check.remedy) == (CheckResult.OK, "")
    assert check.found.startswith("AUTH=open: each caller names its own tenant; HOST=127.0.0.1 ")


def test_metrics_are_open_where_they_are_served(container: Build) -> None:
    assert examined(container(METRICS_PORT="9464")).found.endswith(f"{OPEN}, and metrics on 127.0.0.1:9464")


def test_callers_on_other_machines_should_not(container: Build) -> None:
    check = examined(container(HOST="0.0.0.0"))  # noqa: S104 - it is the fault

    assert check.verdict is CheckResult.WARNING
    assert check.remedy.startswith("Set AUTH")


def test_the_gateway_is_named(container: Build) -> None:
    check = examined(container(AUTH="gateway", TRUSTED_PROXIES="10.1.0.0/24,fd12::7", HOST="0.0.0.0"))  # noqa: S104 - behind it

    assert check.verdict is CheckResult.OK
    assert "from 10.1.0.0/24, fd12::7/128 alone" in check.found


@pytest.mark.parametrize(("auth", "also"), [("token", ""), ("token,key", ", and keys of the database")])
def test_the_issuer_of_tokens_is_named(container: Build, auth: str, also: str, tmp_path: Path) -> None:
    settings = {"AUTH_ISSUER": "https://login.example.com/", "AUTH_AUDIENCE": "batch-transcription"}

    check = examined(container(AUTH=auth, **settings))

    assert check.verdict is CheckResult.OK
    assert f"tokens of https://login.example.com/ for batch-transcription{also};" in check.found
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="AUTH_ISSUER"):
        list(callers(container(AUTH=auth)))


def test_keys_of_which_none_can_be_used_are_a_warning(container: Build) -> None:
    service = container(AUTH="key")
    keys = service.api_key_service()
    key = keys.create(KeyGrant(uuid4(), "crm", ALL_SCOPES), lifetime_seconds=None)
    usable = examined(service)

    service.api_keys().revoke(key.stored.id)
    unusable = examined(service)

    assert usable.verdict is CheckResult.OK
    assert unusable.verdict is CheckResult.WARNING
    assert unusable.remedy == "Make a key: `transcripts keys create --tenant UUID`."


def test_a_database_that_is_not_ready_is_left_as_it_is(container: Build, tmp_path: Path) -> None:
    assert examined(container(AUTH="key")).verdict is CheckResult.OK
    assert list(tmp_path.iterdir()) == []

    service = container(AUTH="key")
    with service.database().writing(OutboxUnavailableError) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    assert "creates or migrates" in examined(service).found
