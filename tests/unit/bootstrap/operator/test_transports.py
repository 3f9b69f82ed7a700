"""Check of the transport by `doctor`, where others provision it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.container import Container, build_container
from bootstrap.operator.examination import CheckResult
from bootstrap.operator.transports import transport_check
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from tests.support.web.webhook_server import SECRET


@pytest.fixture
def container(tmp_path: Path) -> Callable[..., Container]:
    def build(**environ: str) -> Container:
        own = {"EVENT_TRANSPORT": "webhook", "DATABASE_URL": f"sqlite:///{tmp_path}/test.db"}
        return build_container(Settings.from_env(own | environ))

    return build


def test_a_webhook_is_checked_up_to_its_addresses(container: Callable[..., Container]) -> None:
    sound = container(
        WEBHOOK_URL="http://127.0.0.1:1/hunter2",
        WEBHOOK_SECRETS=f"{SECRET},{SECRET}",
        WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
    )

    check = transport_check(sound)

    assert check.verdict is CheckResult.OK
    assert check.found == (
        "127.0.0.1:1 (127.0.0.1), signed with 2 secrets; `transcripts verify` sends a test event"
    )


def test_an_address_that_is_not_allowed_is_wrong(container: Callable[..., Container]) -> None:
    check = transport_check(container(WEBHOOK_URL="https://127.0.0.1/hunter2", WEBHOOK_SECRETS=SECRET))

    assert check.verdict is CheckResult.WRONG
    assert "neither public nor in WEBHOOK_ALLOW_NETWORKS" in check.found
    assert check.remedy
    assert "hunter2" not in check.found


def test_a_setting_that_is_missing_is_named(container: Callable[..., Container]) -> None:
    with pytest.raises(ConfigurationError, match="WEBHOOK_SECRETS"):
        transport_check(container(WEBHOOK_URL="https://127.0.0.1/"))


def test_the_relay_of_a_webhook_waits_as_configured_and_asks_aws_nothing(
    container: Callable[..., Container],
) -> None:
    service = container(
        WEBHOOK_URL="https://hooks.example/", WEBHOOK_SECRETS=SECRET, WEBHOOK_TIMEOUT_SECONDS="7"
    )

    service.relay().step()

    assert service.breaker().reason is None  # no route holds its events back
    assert service.relay().status().paused is None
    service.database().close()
