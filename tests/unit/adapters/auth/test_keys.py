"""Keys: what costs a query, what is refused, and what is recorded."""

import logging
from collections.abc import Callable

import pytest

from adapters.auth.either import KeyOrTokenAuthenticator
from adapters.auth.keys import KeyAuthenticator
from domain.model.access import Scope
from domain.model.api_keys import KeyGrant, PlainKey, new_key
from domain.model.errors import AuthenticatorUnavailableError, UnauthenticatedError
from domain.services.api_keys import ApiKeyService, IssuedKey
from tests.contracts.authenticator_port import TENANT, USER, credentials
from tests.support.databases.databases import Clock
from tests.support.doubles.access import AwayApiKeys, CountedApiKeys, ReadOnlyApiKeys, UnknowingAuthenticator

GRANT = KeyGrant(TENANT, USER, frozenset({Scope.READ}))
Bearer = Callable[[str], object]


def issued(keys: CountedApiKeys, *, lifetime_seconds: float | None = None) -> IssuedKey:
    return ApiKeyService(keys).create(GRANT, lifetime_seconds=lifetime_seconds)


async def refusal(port: KeyAuthenticator | KeyOrTokenAuthenticator, **headers: str) -> UnauthenticatedError:
    with pytest.raises(UnauthenticatedError) as refused:
        await port.identify(credentials({name.replace("_", "-"): value for name, value in headers.items()}))
    return refused.value


@pytest.mark.parametrize(
    "text",
    [
        "bt_",
        "hunter2",
        "bt_4f7k2m9x_" + "a" * 49,
        PlainKey("4f7k2m9x", "a" * 43).text[:-1] + "x",
        "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        "ü" * 100,
        "a" * 60_000,
    ],
)
async def test_what_is_no_key_costs_no_query(text: str) -> None:
    keys = CountedApiKeys()

    refused = await refusal(KeyAuthenticator(keys), Authorization=f"Bearer {text}")

    assert refused.has_credentials
    assert keys.looks == []
    assert text[:20] not in str(refused) or text == "bt_"


async def test_an_unknown_key_and_a_wrong_secret_are_answered_alike() -> None:
    keys = CountedApiKeys()
    known = issued(keys).plain
    wrong = PlainKey(known.id, new_key().secret)

    refusals = [
        await refusal(KeyAuthenticator(keys), Authorization=f"Bearer {key.text}")
        for key in (wrong, new_key())
    ]

    assert len({str(each) for each in refusals}) == 1
    assert all(each.has_credentials for each in refusals)
    assert keys.uses == []


async def test_an_expired_key_is_refused_and_its_owner_is_told() -> None:
    keys = CountedApiKeys()
    key = issued(keys, lifetime_seconds=-1).plain

    refused = await refusal(KeyAuthenticator(keys), Authorization=f"Bearer {key.text}")

    assert str(refused) == f"The key bt_{key.id} is expired."
    assert key.secret not in str(refused)


async def test_a_revoked_key_is_refused_within_a_second() -> None:
    keys, clock = CountedApiKeys(), Clock()
    key, port = issued(keys).plain, KeyAuthenticator(keys, clock=clock)
    await port.identify(credentials({"Authorization": f"Bearer {key.text}"}))

    keys.revoke(key.id)
    clock.advance(1)

    assert str(await refusal(port, Authorization=f"Bearer {key.text}")) == f"The key bt_{key.id} is revoked."


async def test_a_busy_caller_costs_a_query_a_second() -> None:
    keys, clock = CountedApiKeys(), Clock()
    key, port = issued(keys).plain, KeyAuthenticator(keys, clock=clock)
    before = len(keys.looks)

    for _ in range(10):
        await port.identify(credentials({"Authorization": f"Bearer {key.text}"}))
        clock.advance(0.25)

    assert len(keys.looks) - before == 3


async def test_a_key_that_was_just_looked_up_is_no_pass_for_another_secret() -> None:
    keys = CountedApiKeys()
    key, port = issued(keys).plain, KeyAuthenticator(keys, clock=Clock())
    await port.identify(credentials({"Authorization": f"Bearer {key.text}"}))

    guessed = PlainKey(key.id, new_key().secret).text

    assert str(await refusal(port, Authorization=f"Bearer {guessed}")) == "There is no such key."


async def test_scopes_are_those_of_the_key() -> None:
    keys = CountedApiKeys()
    caller = await KeyAuthenticator(keys).identify(credentials({"X-API-Key": issued(keys).plain.text}))

    assert caller.scopes == {Scope.READ}


async def test_two_keys_are_one_too_many() -> None:
    keys = CountedApiKeys()
    key = issued(keys).plain.text
    keys.looks.clear()

    refused = await refusal(KeyAuthenticator(keys), Authorization=f"Bearer {key}", X_API_Key=key)

    assert refused.has_credentials
    with pytest.raises(UnauthenticatedError):
        await KeyAuthenticator(keys).identify(credentials({"Authorization": [f"Bearer {key}"] * 2}))
    with pytest.raises(UnauthenticatedError):
        await KeyAuthenticator(keys).identify(credentials({"X-API-Key": [key, key]}))
    assert keys.looks == []


@pytest.mark.parametrize("value", ["Basic YTpi", "Digest x", "", "   "])
async def test_another_scheme_is_told_which_one_there_is(value: str) -> None:
    refused = await refusal(KeyAuthenticator(CountedApiKeys()), Authorization=value)

    assert not refused.has_credentials  # RFC 6750, section 3.1: no error code
    assert "Bearer bt_" in str(refused)


async def test_a_use_is_recorded_once_a_minute() -> None:
    keys, clock = CountedApiKeys(), Clock()
    port, mine, other = KeyAuthenticator(keys, clock=clock), issued(keys).plain, issued(keys).plain

    async def use(key: PlainKey, times: int) -> None:
        for _ in range(times):
            await port.identify(credentials({"X-API-Key": key.text}))

    await use(mine, 50)
    await use(other, 50)
    assert keys.uses == [mine.id, other.id]

    clock.advance(61)
    await use(mine, 50)
    assert keys.uses == [mine.id, other.id, mine.id]


async def test_a_use_that_cannot_be_recorded_refuses_no_caller(caplog: pytest.LogCaptureFixture) -> None:
    keys = ReadOnlyApiKeys()
    port, key = KeyAuthenticator(keys), issued(keys).plain

    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            assert await port.identify(credentials({"X-API-Key": key.text}))

    assert [record.message for record in caplog.records] == ["use of a key not recorded"]
    assert key.secret not in caplog.text


async def test_a_store_that_is_away_is_no_refusal() -> None:
    with pytest.raises(AuthenticatorUnavailableError):
        await KeyAuthenticator(AwayApiKeys()).identify(credentials({"X-API-Key": new_key().text}))


@pytest.mark.parametrize(
    ("headers", "is_key"),
    [
        ({"Authorization": "Bearer bt_nonsense"}, True),
        ({"X-API-Key": "nonsense"}, True),
        ({"Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}, False),
        ({"Authorization": "Basic YTpi"}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_the_form_of_credentials_chooses_who_examines_them(
    headers: dict[str, str], *, is_key: bool
) -> None:
    keys, tokens = UnknowingAuthenticator(), UnknowingAuthenticator()

    await refusal(KeyOrTokenAuthenticator(keys, tokens), **headers)

    assert (len(keys.asked), len(tokens.asked)) == ((1, 0) if is_key else (0, 1))
