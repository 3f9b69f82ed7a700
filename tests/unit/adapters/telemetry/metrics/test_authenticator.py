"""Metered authenticator: it passes on callers and errors, and counts the errors."""

from uuid import uuid4

import pytest

from adapters.telemetry.metrics.authenticator import MeteredAuthenticator
from adapters.telemetry.metrics.instruments import Metrics
from domain.model.access import Caller, Credentials
from domain.model.errors import (
    AuthenticatorUnavailableError,
    TranscriptionServiceError,
    UnauthenticatedError,
    UnknownTenantError,
    UntrustedPeerError,
)
from domain.model.identity import Identity
from ports.authenticator_port import AuthenticatorPort
from tests.support.prometheus.scrapes import scraped

CALLER = Caller(Identity(uuid4(), "alice", None))


class Answering(AuthenticatorPort):
    """Authenticator with one caller or one error for all."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.seen: list[Credentials] = []

    async def identify(self, credentials: Credentials, /) -> Caller:
        self.seen.append(credentials)
        if self.error is not None:
            raise self.error
        return CALLER


def failures(metrics: Metrics) -> dict[str, float]:
    return {
        each.labels["reason"]: each.value
        for each in scraped(metrics.registry).samples
        if each.name == "authentication_failures_total" and each.value
    }


async def test_a_caller_is_passed_on_and_not_counted() -> None:
    inner, metrics = Answering(), Metrics()
    credentials = Credentials({"authorization": ["Bearer x"]}, "10.0.0.7")

    assert await MeteredAuthenticator(inner, metrics).identify(credentials) == CALLER

    assert inner.seen == [credentials]
    assert failures(metrics) == {}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnauthenticatedError("The token of alice has expired."), "unauthenticated"),
        (UnknownTenantError("acme is no UUID v4"), "unknown-tenant"),
        (UntrustedPeerError("10.0.0.9 is not listed"), "untrusted-peer"),
        (AuthenticatorUnavailableError("no keys yet"), "authenticator-unavailable"),
    ],
)
async def test_a_failure_is_raised_and_counted_by_its_reason(
    error: TranscriptionServiceError, reason: str
) -> None:
    metrics = Metrics()

    with pytest.raises(type(error)) as raised:
        await MeteredAuthenticator(Answering(error), metrics).identify(Credentials({}))

    assert raised.value is error
    assert failures(metrics) == {reason: 1}


def test_reasons_are_there_before_the_first_failure() -> None:
    metrics = Metrics()

    MeteredAuthenticator(Answering(), metrics)

    assert scraped(metrics.registry).value("authentication_failures_total", reason="unauthenticated") == 0
