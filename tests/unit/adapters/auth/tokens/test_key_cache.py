"""The issuer's keys through floods, outages and rotations; time is the test's."""

import asyncio
import logging
from collections.abc import Sequence
from threading import Event
from uuid import uuid4

import pytest

from adapters.auth.jwks import Keys
from adapters.auth.key_cache import KeyCache
from adapters.auth.tokens import TokenAuthenticator
from domain.model.errors import AuthenticatorUnavailableError, UnauthenticatedError
from tests.support.auth.issuer import (
    Answer,
    IssuerServer,
    SigningKey,
    hangs,
    published,
    rsa_key,
    sends,
    waits,
)
from tests.support.doubles.queue import Clock
from tests.support.harness.service import eventually
from tests.unit.adapters.auth.tokens.conftest import Build, bearer

MINUTE = 60.0
FAILURES = [sends(b"", 503), sends({"keys": []}), sends(b"<html>"), sends(b"", 302, Location="/")]


async def passes(tokens: TokenAuthenticator, token: str) -> bool:
    try:
        await tokens.identify(bearer(token))
    except UnauthenticatedError:
        return False
    return True


async def all_pass(tokens: TokenAuthenticator, sent: Sequence[str]) -> list[bool]:
    return await asyncio.gather(*(passes(tokens, token) for token in sent))


def unknown_keys(issuer: IssuerServer, key: SigningKey, count: int) -> list[str]:
    return [issuer.token(key._replace(key_id=str(uuid4()))) for _ in range(count)]


async def test_a_flood_of_unknown_keys_costs_one_fetch_in_30_seconds_and_no_valid_token(
    tokens: TokenAuthenticator, issuer: IssuerServer, ec: SigningKey, clock: Clock
) -> None:
    valid = issuer.token()
    flood = [token for each in unknown_keys(issuer, ec, 1000) for token in (each, valid)]

    for fetches, seconds in ((1, 0), (1, 15), (1, 14), (2, 1), (2, 29), (3, 1)):
        clock.advance(seconds)
        assert await all_pass(tokens, flood) == [False, True] * 1000
        assert issuer.fetches == fetches


async def test_a_flood_of_wrong_signatures_costs_one_fetch_in_30_seconds(
    tokens: TokenAuthenticator, issuer: IssuerServer, ec: SigningKey, clock: Clock
) -> None:
    valid = issuer.token(ec)
    forged = f"{valid[:-8]}AAAAAAAA"

    for fetches in (1, 1, 2, 2, 3):
        assert await all_pass(tokens, [forged, valid] * 100) == [False, True] * 100
        assert issuer.fetches == fetches
        clock.advance(15)


async def test_requests_that_come_at_once_wait_for_one_fetch(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    gate = Event()
    issuer.answer = waits(gate)

    requests = asyncio.create_task(all_pass(tokens, [issuer.token()] * 50))
    await eventually(lambda: issuer.requests)
    gate.set()

    assert await requests == [True] * 50
    assert issuer.fetches == 1


async def test_a_request_that_leaves_takes_no_other_with_it(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    gate, token = Event(), issuer.token()
    issuer.answer = waits(gate)
    leaving, staying = (asyncio.create_task(passes(tokens, token)) for _ in range(2))
    await eventually(lambda: issuer.requests)

    leaving.cancel()
    await asyncio.wait([leaving])
    gate.set()

    assert leaving.cancelled()
    assert await staying


async def test_no_request_waits_for_an_issuer_that_hangs_while_its_keys_are_known(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock
) -> None:
    token = issuer.token()
    await tokens.identify(bearer(token))
    issuer.answer = hangs
    clock.advance(10 * MINUTE)

    for _ in range(60):
        assert await passes(tokens, token)  # and the fetch that the first one began is under way
        clock.advance(MINUTE)

    await eventually(lambda: len(issuer.requests) == 3)
    assert issuer.fetches == 1


@pytest.mark.parametrize("failure", FAILURES, ids=["503", "no keys", "page", "redirect"])
async def test_known_keys_serve_for_an_hour_beyond_their_lifetime(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock, failure: Answer
) -> None:
    token = issuer.token()
    await tokens.identify(bearer(token))
    issuer.answer = failure

    for _ in range(70):
        clock.advance(MINUTE)
        assert await passes(tokens, token)
    clock.advance(1)
    with pytest.raises(AuthenticatorUnavailableError, match="keys of their issuer cannot be fetched"):
        await tokens.identify(bearer(token))

    issuer.answer = published
    clock.advance(30)
    assert await passes(tokens, token)


async def test_keys_that_are_too_old_are_fetched_while_the_first_request_waits(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock
) -> None:
    token = issuer.token()
    await tokens.identify(bearer(token))
    clock.advance(24 * 60 * MINUTE)  # a night without requests

    assert await passes(tokens, token)


@pytest.mark.parametrize("failure", FAILURES, ids=["503", "no keys", "page", "redirect"])
async def test_without_any_keys_tokens_cannot_be_examined(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock, failure: Answer
) -> None:
    token = issuer.token()
    issuer.answer = failure

    for _ in range(100):
        with pytest.raises(AuthenticatorUnavailableError):
            await tokens.identify(bearer(token))
    assert len(issuer.requests) == 1, "failed attempts count, too"

    issuer.answer = published
    with pytest.raises(AuthenticatorUnavailableError):
        await tokens.identify(bearer(token))
    clock.advance(30)
    assert await passes(tokens, token)


async def test_a_request_does_not_wait_for_ever_for_the_first_keys(
    build: Build, issuer: IssuerServer, clock: Clock
) -> None:
    tokens = build(patience_seconds=0.2)
    issuer.answer = hangs

    for _ in range(3):
        with pytest.raises(AuthenticatorUnavailableError):
            await tokens.identify(bearer(issuer.token()))
        clock.advance(MINUTE)
    assert len(issuer.requests) == 1, "one fetch at a time, however long it takes"


async def test_a_new_key_is_found_at_its_first_token(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock
) -> None:
    old, new = issuer.token(), rsa_key("rsa-2")
    await tokens.identify(bearer(old))
    issuer.keys = [new]

    assert not await passes(tokens, issuer.token()), "the last fetch was less than 30 s ago"
    clock.advance(30)
    assert await passes(tokens, issuer.token())
    assert not await passes(tokens, old), "the issuer has withdrawn its key"


async def test_a_key_that_changes_under_its_id_is_found_at_its_first_token(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock
) -> None:
    old = issuer.token()
    await tokens.identify(bearer(old))
    issuer.keys = [rsa_key(issuer.keys[0].key_id)]

    assert not await passes(tokens, issuer.token())
    assert await passes(tokens, old)
    clock.advance(30)
    assert await passes(tokens, issuer.token())
    assert not await passes(tokens, old)


async def test_keys_are_fetched_anew_behind_the_requests(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock
) -> None:
    token = issuer.token()
    await tokens.identify(bearer(token))
    clock.advance(599)
    await tokens.identify(bearer(token))
    assert (tokens.keys_age_seconds, issuer.fetches) == (599, 1)

    clock.advance(1)
    assert await passes(tokens, token)

    await eventually(lambda: tokens.keys_age_seconds == 0)
    assert issuer.fetches == 2


async def test_the_start_fetches_keys_before_any_request(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    assert tokens.keys_age_seconds is None

    tokens.start()

    await eventually(lambda: tokens.keys_age_seconds == 0)
    assert await passes(tokens, issuer.token())
    assert issuer.fetches == 1


async def test_an_outage_is_logged_once_and_its_end_once(
    tokens: TokenAuthenticator, issuer: IssuerServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    token = issuer.token()
    await tokens.identify(bearer(token))
    clock.advance(10 * MINUTE)

    for answer in (*[sends(b"", 503)] * 5, published, published):
        issuer.answer = answer
        requests = len(issuer.requests)
        assert not await passes(tokens, f"{token[:-8]}AAAAAAAA")
        assert len(issuer.requests) > requests
        clock.advance(30)

    ours = [each for each in caplog.records if each.name == "adapters.auth.key_cache"]
    assert [(each.levelname, each.message) for each in ours] == [
        ("WARNING", "keys of the issuer cannot be fetched"),
        ("INFO", "keys of the issuer are fetched again"),
    ]
    assert "answered 503" in str(ours[0].__dict__["error"])


async def test_an_unexpected_error_of_a_fetch_ends_nothing(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    keys: Keys = {}
    outcomes: list[Exception | Keys] = [ZeroDivisionError("odd"), keys]

    def fetch() -> Keys:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    cache = KeyCache(fetch, clock=clock)
    with pytest.raises(AuthenticatorUnavailableError):
        await cache.current()
    clock.advance(30)

    assert await cache.current() is keys
    assert "ZeroDivisionError" in caplog.text
