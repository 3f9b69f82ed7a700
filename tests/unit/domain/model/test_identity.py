from uuid import UUID, uuid4

import pytest

from domain.model.errors import InvalidIdentityError
from domain.model.identity import (
    ACCOUNT_HEADER,
    MAX_IDENTITY_LENGTH,
    TENANT_HEADER,
    USER_HEADER,
    IdentityDefaults,
    resolve_identity,
)

A_UUID_V1 = "8f0e9a4c-e7d3-11f0-8054-02fc00000001"
FRESH = UUID("11111111-1111-4111-8111-111111111111")
TENANT = UUID("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11")
MOCK = UUID("8c2dd2ab-1d7a-4b3c-8f1e-2f6f4e0b9c22")
NO_DEFAULTS = IdentityDefaults()


def fresh() -> UUID:
    return FRESH


def test_headers_come_first() -> None:
    headers = {TENANT_HEADER: str(TENANT), USER_HEADER: "alice", ACCOUNT_HEADER: "acme"}
    defaults = IdentityDefaults(tenant_id=str(MOCK), user_id="mock")

    identity = resolve_identity(headers, defaults)

    assert (identity.tenant_id, identity.user_id, identity.account_id) == (TENANT, "alice", "acme")
    assert identity.warnings == ()


def test_the_environment_comes_second() -> None:
    identity = resolve_identity({}, IdentityDefaults(tenant_id=str(MOCK), user_id="mock"))

    assert (identity.tenant_id, identity.user_id) == (MOCK, "mock")


def test_without_either_the_tenant_is_generated_the_user_is_system_and_the_account_null() -> None:
    identity = resolve_identity({}, NO_DEFAULTS, new_uuid=fresh)

    assert (identity.tenant_id, identity.user_id, identity.account_id) == (FRESH, "system", None)
    assert identity.warnings == ()


def test_a_generated_tenant_is_a_new_uuid_v4_each_time() -> None:
    first, second = (resolve_identity({}, NO_DEFAULTS).tenant_id for _ in range(2))

    assert first != second
    assert first.version == second.version == 4


def test_blank_headers_count_as_absent() -> None:
    headers = {TENANT_HEADER: "  ", USER_HEADER: "", ACCOUNT_HEADER: "\t"}

    identity = resolve_identity(headers, IdentityDefaults(str(MOCK), "mock"))

    assert (identity.tenant_id, identity.user_id, identity.account_id) == (MOCK, "mock", None)


@pytest.mark.parametrize(
    "tenant",
    [
        "not a uuid",
        A_UUID_V1,
        "{" + str(TENANT) + "}",
        TENANT.hex,
        "urn:uuid:" + str(TENANT),
        "x" * 100_000,
    ],
)
def test_a_tenant_that_is_no_uuid_v4_is_replaced_with_a_warning(tenant: str) -> None:
    identity = resolve_identity({TENANT_HEADER: tenant}, NO_DEFAULTS, new_uuid=fresh)

    assert identity.tenant_id == FRESH
    assert len(identity.warnings) == 1
    assert "is not a UUID v4" in identity.warnings[0].detail
    assert len(identity.warnings[0].detail) < 200


def test_a_wrong_tenant_of_the_environment_is_replaced_with_a_warning_too() -> None:
    identity = resolve_identity({}, IdentityDefaults(tenant_id="acme"), new_uuid=fresh)

    assert identity.tenant_id == FRESH
    assert "'acme'" in identity.warnings[0].detail


def test_a_wrong_tenant_header_is_not_papered_over_by_the_environment() -> None:
    identity = resolve_identity({TENANT_HEADER: "acme"}, IdentityDefaults(str(MOCK)), new_uuid=fresh)

    assert identity.tenant_id == FRESH


@pytest.mark.parametrize("tenant", ["acme", A_UUID_V1, "x" * 100_000])
@pytest.mark.parametrize("is_header", [True, False])
def test_strict_defaults_refuse_a_tenant_that_is_no_uuid_v4(tenant: str, *, is_header: bool) -> None:
    headers = {TENANT_HEADER: tenant} if is_header else {}
    defaults = IdentityDefaults(None if is_header else tenant, is_strict=True)

    with pytest.raises(InvalidIdentityError, match="X-Tenant-ID must be a UUID v4") as refusal:
        resolve_identity(headers, defaults)

    assert len(str(refusal.value)) < 200


def test_strict_defaults_refuse_a_missing_tenant_and_take_the_one_of_the_environment() -> None:
    with pytest.raises(InvalidIdentityError, match="X-Tenant-ID is missing"):
        resolve_identity({TENANT_HEADER: " "}, IdentityDefaults(is_strict=True))

    assert resolve_identity({}, IdentityDefaults(str(MOCK), is_strict=True)).tenant_id == MOCK


def test_a_replaced_tenant_is_remembered_as_it_was_named() -> None:
    assert resolve_identity({TENANT_HEADER: " acme "}, NO_DEFAULTS).replaced_tenant == "acme"
    assert resolve_identity({}, IdentityDefaults("acme")).replaced_tenant == "acme"
    assert resolve_identity({}, NO_DEFAULTS).replaced_tenant == ""
    assert resolve_identity({TENANT_HEADER: str(TENANT)}, NO_DEFAULTS).replaced_tenant is None


def test_a_tenant_in_capitals_is_the_same_tenant() -> None:
    assert resolve_identity({TENANT_HEADER: str(TENANT).upper()}, NO_DEFAULTS).tenant_id == TENANT


@pytest.mark.parametrize("header", [USER_HEADER, ACCOUNT_HEADER])
@pytest.mark.parametrize(
    "value", ["x" * 100_000, "a" * (MAX_IDENTITY_LENGTH + 1), "a\nb", "a\x00b", "a\x1b[31mb", "a\u202eb"]
)
def test_users_and_accounts_are_bounded_and_printable(header: str, value: str) -> None:
    with pytest.raises(InvalidIdentityError, match=header) as refusal:
        resolve_identity({header: value}, NO_DEFAULTS)

    assert value not in str(refusal.value)


def test_users_may_have_names_of_any_script_up_to_the_limit() -> None:
    for user in ("josé", "张伟", "u" * MAX_IDENTITY_LENGTH, str(uuid4())):
        assert resolve_identity({USER_HEADER: user}, NO_DEFAULTS).user_id == user
