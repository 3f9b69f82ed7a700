"""Contract of every store of API keys: the sentences of `ApiKeysPort`'s docstrings.

A store binds the contract by subclassing it and providing the fixture `keys`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.model.access import Scope
from domain.model.api_keys import ApiKey, KeyGrant, KeyState, NewApiKey, new_key
from domain.model.errors import AuthenticatorUnavailableError
from ports.api_keys_port import ApiKeysPort
from tests.support.databases.databases import Clock

TENANT = UUID("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11")
GRANT = KeyGrant(TENANT, "zoë", frozenset({Scope.READ, Scope.WRITE}), "CRM, “production”")
DAY = 86_400.0


@dataclass(frozen=True)
class StoredKeys:
    """Store with its clock."""

    port: ApiKeysPort
    clock: Clock
    broken: Callable[[], ApiKeysPort] | None = None

    def add(
        self, grant: KeyGrant = GRANT, *, days: float | None = None, replaces: str | None = None
    ) -> NewApiKey:
        """Store a new key; the one that it replaces ends in a day."""
        plain = new_key()
        key = NewApiKey(plain.id, plain.secret_hash, grant, None if days is None else days * DAY)
        self.port.add(key, replaces=replaces, overlap_seconds=DAY)
        return key

    def add_session(self, of: NewApiKey, *, days: float) -> NewApiKey:
        """Store a session of a key."""
        plain = new_key()
        session = NewApiKey(plain.id, plain.secret_hash, GRANT, days * DAY, of.id)
        self.port.add(session)
        return session

    def found(self, key: NewApiKey) -> ApiKey:
        """Return a key that must be there."""
        found = self.port.find(key.id)
        assert found is not None
        return found

    def state(self, key: NewApiKey) -> KeyState:
        return self.found(key).state

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


class ApiKeysPortContract:
    """Suite for the adapters of `ApiKeysPort`."""

    def test_a_key_is_found_with_all_that_it_proves(self, keys: StoredKeys) -> None:
        key = keys.add()

        assert keys.port.find(key.id) == ApiKey(
            id=key.id,
            secret_hash=key.secret_hash,
            grant=GRANT,
            created_at=keys.now(),
            expires_at=None,
            revoked_at=None,
            last_used_at=None,
            read_at=keys.now(),
        )
        assert keys.state(key) is KeyState.ACTIVE

    @pytest.mark.parametrize("scopes", [*([scope] for scope in Scope), [*Scope]], ids=",".join)
    def test_scopes_come_back_as_they_were(self, keys: StoredKeys, scopes: list[Scope]) -> None:
        key = keys.add(GRANT._replace(scopes=frozenset(scopes)))

        assert keys.found(key).grant.scopes == set(scopes)

    @pytest.mark.parametrize("key_id", ["00000000", "", "x' OR '1'='1", "%"])
    def test_an_unknown_id_finds_nothing(self, keys: StoredKeys, key_id: str) -> None:
        keys.add()

        assert keys.port.find(key_id) is None

    def test_a_key_ends_with_its_lifetime_by_the_clock_of_the_store(self, keys: StoredKeys) -> None:
        ends, stays = keys.add(days=1), keys.add()

        keys.clock.advance(DAY - 1)
        assert keys.state(ends) is KeyState.ACTIVE
        keys.clock.advance(1)

        assert (keys.state(ends), keys.state(stays)) == (KeyState.EXPIRED, KeyState.ACTIVE)

    def test_a_key_is_never_overwritten(self, keys: StoredKeys) -> None:
        key = keys.add()

        with pytest.raises(AuthenticatorUnavailableError):
            keys.port.add(key._replace(secret_hash="0" * 64))

        assert keys.found(key).secret_hash == key.secret_hash

    def test_a_revoked_key_is_so_in_the_next_look_and_for_good(self, keys: StoredKeys) -> None:
        key = keys.add(days=1)

        assert keys.port.revoke(key.id)
        revoked_at = keys.found(key).revoked_at
        keys.clock.advance(7200)
        assert keys.port.revoke(key.id)

        assert keys.state(key) is KeyState.REVOKED
        assert keys.found(key).revoked_at == revoked_at == keys.now() - timedelta(hours=2)

    def test_a_session_is_no_longer_valid_than_it_was_opened_for(self, keys: StoredKeys) -> None:
        key = keys.add()
        session = keys.add_session(key, days=1)

        assert (keys.found(session).session_of, keys.found(key).session_of) == (key.id, None)
        keys.clock.advance(DAY)

        assert (keys.state(session), keys.state(key)) == (KeyState.EXPIRED, KeyState.ACTIVE)

    def test_a_session_ends_with_its_key(self, keys: StoredKeys) -> None:
        key = keys.add(days=1)
        session = keys.add_session(key, days=7)

        keys.clock.advance(DAY - 1)
        assert keys.state(session) is KeyState.ACTIVE
        keys.clock.advance(1)

        assert keys.state(session) is KeyState.EXPIRED

    def test_a_session_is_revoked_with_its_key(self, keys: StoredKeys) -> None:
        key = keys.add()
        session, other = keys.add_session(key, days=1), keys.add_session(keys.add(), days=1)

        keys.port.revoke(key.id)

        assert (keys.state(session), keys.state(other)) == (KeyState.REVOKED, KeyState.ACTIVE)

    def test_a_revoked_session_leaves_its_key_and_its_other_sessions(self, keys: StoredKeys) -> None:
        key = keys.add()
        session, other = keys.add_session(key, days=1), keys.add_session(key, days=1)

        assert keys.port.revoke(session.id)

        assert keys.state(session) is KeyState.REVOKED
        assert (keys.state(key), keys.state(other)) == (KeyState.ACTIVE, KeyState.ACTIVE)

    def test_sessions_are_not_listed_and_expired_ones_go_with_the_next(self, keys: StoredKeys) -> None:
        key, ends = keys.add(), keys.add(days=1)
        first = keys.add_session(key, days=1)
        keys.clock.advance(DAY)

        second = keys.add_session(key, days=1)

        assert keys.port.find(first.id) is None
        assert keys.state(second) is KeyState.ACTIVE
        assert {each.id for each in keys.port.newest(None, limit=9)} == {key.id, ends.id}

    def test_an_unknown_key_cannot_be_revoked(self, keys: StoredKeys) -> None:
        key = keys.add()

        assert not keys.port.revoke("00000000")
        assert keys.state(key) is KeyState.ACTIVE

    def test_a_key_that_is_replaced_ends_after_the_overlap(self, keys: StoredKeys) -> None:
        old, other = keys.add(), keys.add()
        new = keys.add(replaces=old.id)

        keys.clock.advance(DAY - 1)
        assert {keys.state(key) for key in (old, new, other)} == {KeyState.ACTIVE}
        keys.clock.advance(1)

        assert keys.state(old) is KeyState.EXPIRED
        assert {keys.state(key) for key in (new, other)} == {KeyState.ACTIVE}

    def test_an_overlap_prolongs_no_key(self, keys: StoredKeys) -> None:
        old = keys.add(days=0.5)
        keys.add(replaces=old.id)

        keys.clock.advance(DAY / 2)

        assert keys.state(old) is KeyState.EXPIRED

    def test_a_replacement_that_cannot_be_stored_ends_no_key(self, keys: StoredKeys) -> None:
        old, taken = keys.add(), keys.add()

        with pytest.raises(AuthenticatorUnavailableError):
            keys.port.add(taken, replaces=old.id)
        keys.clock.advance(2 * DAY)

        assert keys.state(old) is KeyState.ACTIVE

    def test_keys_are_listed_the_newest_first_for_one_tenant_or_all(self, keys: StoredKeys) -> None:
        other = GRANT._replace(tenant_id=uuid4())
        added = []
        for grant in (GRANT, other, GRANT, GRANT):
            added.append(keys.add(grant).id)
            keys.clock.advance(60)
        keys.port.revoke(added[0])

        def listed(tenant_id: UUID | None, limit: int = 10) -> list[str]:
            return [key.id for key in keys.port.newest(tenant_id, limit=limit)]

        assert listed(None) == added[::-1]
        assert listed(TENANT) == [added[3], added[2], added[0]]
        assert listed(other.tenant_id) == [added[1]]
        assert listed(uuid4()) == []
        assert listed(None, limit=2) == [added[3], added[2]]

    def test_a_use_is_recorded_to_the_minute(self, keys: StoredKeys) -> None:
        key, unused = keys.add(), keys.add()
        keys.clock.advance(61.5)

        keys.port.record_use(key.id)

        assert keys.found(key).last_used_at == keys.now().replace(second=0, microsecond=0)
        assert keys.found(unused).last_used_at is None

    def test_the_use_of_an_unknown_key_changes_nothing(self, keys: StoredKeys) -> None:
        keys.port.record_use("00000000")

        assert keys.port.find("00000000") is None

    def test_many_threads_look_at_once(self, keys: StoredKeys) -> None:
        key = keys.add()

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(keys.port.find, [key.id, "00000000"] * 20))

        assert {each and each.id for each in found} == {key.id, None}

    def test_a_store_that_fails_says_so(self, keys: StoredKeys) -> None:
        key = keys.add()
        if keys.broken is None:
            pytest.skip("a store in memory does not fail")
        port = keys.broken()

        for call in (
            lambda: port.find(key.id),
            lambda: port.newest(None, limit=1),
            lambda: port.revoke(key.id),
            lambda: port.record_use(key.id),
            lambda: port.add(key._replace(id="00000000")),
        ):
            with pytest.raises(AuthenticatorUnavailableError) as failed:
                call()
            assert key.secret_hash not in str(failed.value)
