"""`transcripts keys`: what it makes, shows once, and never shows."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from adapters.sql.api_keys import SqlApiKeys
from bootstrap.factories.database import prepare_database
from domain.model.access import ALL_SCOPES, Scope
from domain.model.api_keys import ApiKey, KeyGrant, KeyState, PlainKey, parse_key
from tests.support.harness.command_line import Caller, Told

TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"


class KeyShop(NamedTuple):
    """The keys of a service, and what the command answers about them."""

    keys: SqlApiKeys
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Told:
        return Caller(self.capsys)("keys", *arguments)

    def told(self, *arguments: str) -> dict[str, Any]:
        return self.run(*arguments, "--json").answer

    def made(self, *arguments: str) -> PlainKey:
        """Make a key with the command."""
        key = parse_key(self.told("create", "--tenant", TENANT, *arguments)["key"])
        assert key is not None
        return key

    def stored(self, key: PlainKey) -> ApiKey:
        found = self.keys.find(key.id)
        assert found is not None
        return found


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[KeyShop]:
    url = f"sqlite:///{tmp_path}/transcripts.db"
    monkeypatch.setenv("DATABASE_URL", url)
    database = prepare_database(url)
    yield KeyShop(SqlApiKeys(database), capsys)
    database.close()


def test_a_key_is_made_and_shown_once(shop: KeyShop, tmp_path: Path) -> None:
    code, out, err = shop.run("create", "--tenant", TENANT, "--user", "crm", "--label", "CRM, production")

    key = parse_key(out.strip())
    assert code == 0
    assert key is not None
    assert "shown this once" in err
    stored = shop.stored(key)
    assert stored.secret_hash == key.secret_hash
    rights = frozenset({Scope.WRITE, Scope.READ})
    assert stored.grant == KeyGrant(UUID(TENANT), "crm", rights, "CRM, production")
    assert all(key.secret not in file.read_bytes().decode("latin-1") for file in tmp_path.iterdir())
    assert key.secret not in err + shop.run("list").out + shop.run("list", "--json").out


def test_a_key_as_json_has_all_that_is_known_of_it(shop: KeyShop) -> None:
    told = shop.told("create", "--tenant", TENANT, "--scope", "operate", "--scope", "READ", "--expires", "0")

    key = parse_key(told.pop("key"))
    assert key is not None
    assert datetime.fromisoformat(told.pop("created_at")) <= shop.stored(key).read_at
    assert told == {
        "id": key.id,
        "state": "active",
        "tenant_id": TENANT,
        "user_id": "system",
        "scopes": ["operate", "read"],
        "label": "",
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }


@pytest.mark.parametrize(("arguments", "days"), [((), 365), (("--expires", "0.5"), 0.5)], ids=str)
def test_a_key_ends(shop: KeyShop, arguments: tuple[str, ...], days: float) -> None:
    key = shop.stored(shop.made(*arguments))

    assert key.expires_at is not None
    assert abs(key.expires_at - key.created_at - timedelta(days=days)) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create",),
        ("create", "--tenant", "acme"),
        ("create", "--tenant", "8f0e9a4c-e7d3-11f0-8054-02fc00000001"),
        ("create", "--tenant", TENANT, "--user", " "),
        ("create", "--tenant", TENANT, "--user", "x" * 257),
        ("create", "--tenant", TENANT, "--label", "a\nb"),
        ("create", "--tenant", TENANT, "--label", "a\u202eb"),
        ("create", "--tenant", TENANT, "--scope", "admin"),
        ("create", "--tenant", TENANT, "--expires", "-1"),
        ("create", "--tenant", TENANT, "--expires", "nan"),
        ("revoke",),
        ("revoke", "x"),
        ("revoke", PlainKey("4f7k2m9x", "a" * 43).text),
        ("rotate", "4f7k2m9x", "--overlap", "-1"),
    ],
    ids=str,
)
def test_a_wrong_argument_makes_no_key(shop: KeyShop, arguments: tuple[str, ...]) -> None:
    assert shop.run(*arguments).code == 2
    assert shop.keys.newest(None, limit=1) == ()


def test_a_list_says_what_each_key_may_and_when_it_was_used(shop: KeyShop) -> None:
    old, new = shop.made("--label", "CRM"), shop.made("--scope", "read")
    shop.keys.record_use(old.id)
    shop.keys.revoke(old.id)

    newest, oldest = shop.run("list").out.splitlines()

    assert newest.startswith(f"bt_{new.id}  {TENANT}  active ")
    assert "read " in newest
    assert "never used" in newest
    assert oldest.startswith(f"bt_{old.id}  {TENANT}  revoked  read,write ")
    assert re.search(r"until \d{4}-\d\d-\d\d  used \d{4}-\d\d-\d\d \d\d:\d\d  system  CRM$", oldest)


def test_a_list_can_be_of_one_tenant_and_has_an_end(shop: KeyShop) -> None:
    shop.told("create", "--tenant", str(uuid4()))
    mine = [shop.made().id for _ in range(3)]

    listed = [key["id"] for key in shop.told("list", "--tenant", TENANT, "--limit", "2")["keys"]]

    assert listed == [mine[2], mine[1]]
    assert len(shop.told("list")["keys"]) == 4


def test_revoked_keys_are_so_at_once(shop: KeyShop) -> None:
    first, second, third = shop.made(), shop.made(), shop.made()

    assert shop.told("revoke", first.id, f"bt_{second.id}") == {"revoked": [first.id, second.id]}

    assert [shop.stored(key).state for key in (first, second, third)] == [
        KeyState.REVOKED,
        KeyState.REVOKED,
        KeyState.ACTIVE,
    ]


def test_an_unknown_key_does_not_keep_others_from_being_revoked(shop: KeyShop) -> None:
    key = shop.made()

    told = shop.run("revoke", "00000000", key.id)

    assert told.code == 1
    assert told.err == "Error: There is no key bt_00000000; all others are revoked.\n"
    assert shop.stored(key).state is KeyState.REVOKED


def test_a_rotated_key_is_accepted_beside_the_new_one_for_a_while(shop: KeyShop) -> None:
    old = shop.made("--label", "CRM", *(f"--scope={scope}" for scope in Scope))

    new = parse_key(shop.told("rotate", f"bt_{old.id}", "--overlap", "2")["key"])

    assert new is not None
    before, after = shop.stored(old), shop.stored(new)
    assert {before.state, after.state} == {KeyState.ACTIVE}
    assert after.grant == before.grant
    assert after.grant.scopes == ALL_SCOPES
    assert before.expires_at is not None
    assert abs(before.expires_at - after.created_at - timedelta(hours=2)) < timedelta(seconds=1)
    assert new.secret != old.secret


def test_a_rotation_can_end_the_old_key_at_once(shop: KeyShop) -> None:
    old = shop.made("--expires", "0")

    told = shop.run("rotate", old.id, "--overlap", "0")

    assert told.code == 0
    assert shop.stored(old).state is KeyState.EXPIRED


def test_a_revoked_key_does_not_live_on_in_another_one(shop: KeyShop) -> None:
    key = shop.made()
    shop.keys.revoke(key.id)

    told = shop.run("rotate", key.id)

    assert told.code == 1
    assert told.err == f"Error: The key bt_{key.id} is revoked; create a new one.\n"
    assert len(shop.keys.newest(None, limit=10)) == 1


def test_a_key_that_has_ended_can_be_rotated(shop: KeyShop) -> None:
    old = shop.made()
    shop.run("rotate", old.id, "--overlap", "0")

    assert shop.run("rotate", old.id).code == 0
    assert shop.stored(old).state is KeyState.EXPIRED


def test_an_unknown_key_cannot_be_rotated(shop: KeyShop) -> None:
    assert shop.run("rotate", "00000000").err == "Error: There is no key bt_00000000.\n"
