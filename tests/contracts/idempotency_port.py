"""Contract of every store of idempotency keys: the sentences of `IdempotencyPort`'s docstrings.

A store binds the contract by subclassing it and providing the fixture `keys`.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from domain.model.errors import (
    IdempotencyConflictError,
    IdempotencyInProgressError,
    IdempotencyUnavailableError,
)
from domain.model.idempotency import Answer, FirstAnswer, Reservation
from domain.model.identity import Interaction
from ports.idempotency_port import IdempotencyPort
from tests.support.databases.databases import Clock

SCOPE = UUID("11111111-1111-4111-8111-111111111111")
ANSWER = '{"raw_transcript": "gr\\u00fc\\u00df", "event": {"status": "queued"}}'
INTERACTION = Interaction(uuid4(), uuid4(), "user-7")
DAY = 86_400


@dataclass(frozen=True)
class IdempotencyKeys:
    """Store with its clock."""

    port: IdempotencyPort
    clock: Clock
    broken: Callable[[], IdempotencyPort] | None = None

    def reserve(self, key: str = "key", fingerprint: str = "recording") -> Reservation:
        """Reserve a key as the first request."""
        reservation = self.port.begin(SCOPE, key, fingerprint, lease_seconds=60)
        assert isinstance(reservation, Reservation)
        return reservation


class IdempotencyPortContract:
    """Suite for the adapters of `IdempotencyPort`."""

    def test_a_repeated_request_learns_what_the_first_one_was_answered(self, keys: IdempotencyKeys) -> None:
        assert keys.port.finish(keys.reserve(), Answer(ANSWER, INTERACTION))

        for _ in range(2):
            assert keys.port.begin(SCOPE, "key", "recording", lease_seconds=60) == FirstAnswer(ANSWER)

    def test_another_recording_with_the_same_key_is_refused(self, keys: IdempotencyKeys) -> None:
        reservation = keys.reserve()
        with pytest.raises(IdempotencyConflictError):
            keys.port.begin(SCOPE, "key", "another recording", lease_seconds=60)

        keys.port.finish(reservation, Answer(ANSWER, INTERACTION))
        with pytest.raises(IdempotencyConflictError):
            keys.port.begin(SCOPE, "key", "another recording", lease_seconds=60)

    def test_a_request_repeated_too_soon_is_refused(self, keys: IdempotencyKeys) -> None:
        keys.reserve()

        with pytest.raises(IdempotencyInProgressError):
            keys.port.begin(SCOPE, "key", "recording", lease_seconds=60)

    def test_the_keys_of_one_scope_are_not_anothers(self, keys: IdempotencyKeys) -> None:
        keys.port.finish(keys.reserve(), Answer(ANSWER, INTERACTION))

        assert isinstance(keys.port.begin(uuid4(), "key", "other", lease_seconds=60), Reservation)

    def test_one_of_many_concurrent_requests_is_the_first(self, keys: IdempotencyKeys) -> None:
        def begin(_number: int) -> str:
            try:
                return type(keys.port.begin(SCOPE, "key", "recording", lease_seconds=60)).__name__
            except IdempotencyInProgressError as error:
                return type(error).__name__

        with ThreadPoolExecutor(4) as threads:
            told = Counter(threads.map(begin, range(12)))

        assert told == {"Reservation": 1, "IdempotencyInProgressError": 11}

    def test_the_key_of_a_dead_owner_is_free_after_its_lease(self, keys: IdempotencyKeys) -> None:
        dead = keys.reserve()
        keys.clock.advance(60)

        alive = keys.reserve(fingerprint="another recording")

        assert alive.token != dead.token
        assert not keys.port.finish(dead, Answer('"stale"', INTERACTION))
        assert not keys.port.abandon(dead)
        assert keys.port.finish(alive, Answer(ANSWER, INTERACTION))

    def test_a_reservation_that_is_renewed_outlasts_its_first_lease(self, keys: IdempotencyKeys) -> None:
        reservation = keys.reserve()
        for _ in range(5):
            keys.clock.advance(59)
            assert keys.port.renew(reservation, lease_seconds=60)
            with pytest.raises(IdempotencyInProgressError):
                keys.port.begin(SCOPE, "key", "recording", lease_seconds=60)

        keys.clock.advance(60)
        assert keys.reserve().token != reservation.token

    def test_an_expired_reservation_can_be_renewed_until_the_key_is_taken(
        self, keys: IdempotencyKeys
    ) -> None:
        reservation = keys.reserve()
        keys.clock.advance(3600)

        assert keys.port.renew(reservation, lease_seconds=60)

        with pytest.raises(IdempotencyInProgressError):
            keys.port.begin(SCOPE, "key", "recording", lease_seconds=60)
        assert keys.port.finish(reservation, Answer(ANSWER, INTERACTION))

    def test_a_stale_reservation_renews_nothing(self, keys: IdempotencyKeys) -> None:
        stale = keys.reserve()
        keys.clock.advance(60)
        owner = keys.reserve()

        assert not keys.port.renew(stale, lease_seconds=DAY)

        keys.clock.advance(60)
        assert keys.reserve().token not in (stale.token, owner.token)

    def test_a_reservation_that_was_erased_renews_nothing(self, keys: IdempotencyKeys) -> None:
        reservation = keys.reserve()
        keys.clock.advance(60)
        keys.port.prune()

        assert not keys.port.renew(reservation, lease_seconds=60)
        assert keys.reserve(fingerprint="another recording")

    def test_a_finished_or_abandoned_key_cannot_be_renewed(self, keys: IdempotencyKeys) -> None:
        finished, abandoned = keys.reserve("finished"), keys.reserve("abandoned")
        keys.port.finish(finished, Answer(ANSWER, INTERACTION))
        keys.port.abandon(abandoned)

        assert not keys.port.renew(finished, lease_seconds=60)
        assert not keys.port.renew(abandoned, lease_seconds=60)

        assert keys.reserve("abandoned", "another recording")
        keys.clock.advance(DAY - 1)
        assert keys.port.begin(SCOPE, "finished", "recording", lease_seconds=60) == FirstAnswer(ANSWER)

    def test_either_a_renewal_or_a_concurrent_takeover_wins(self, keys: IdempotencyKeys) -> None:
        def takes_over(_number: int) -> bool:
            try:
                return isinstance(keys.port.begin(SCOPE, "key", "recording", lease_seconds=60), Reservation)
            except IdempotencyInProgressError:
                return False

        for _ in range(5):
            reservation = keys.reserve()
            keys.clock.advance(60)
            with ThreadPoolExecutor(2) as threads:
                taken = threads.submit(takes_over, 0)
                renewed = threads.submit(keys.port.renew, reservation, lease_seconds=60)
            assert taken.result() is not renewed.result()
            keys.clock.advance(60)

    def test_an_answer_is_kept_for_a_day_from_when_it_was_given(self, keys: IdempotencyKeys) -> None:
        reservation = keys.reserve()
        keys.clock.advance(30)
        keys.port.finish(reservation, Answer(ANSWER, INTERACTION))

        keys.clock.advance(DAY - 1)
        assert keys.port.begin(SCOPE, "key", "recording", lease_seconds=60) == FirstAnswer(ANSWER)
        keys.clock.advance(1)
        assert isinstance(keys.port.begin(SCOPE, "key", "recording", lease_seconds=60), Reservation)

    def test_an_abandoned_key_is_free_at_once(self, keys: IdempotencyKeys) -> None:
        assert keys.port.abandon(keys.reserve())

        assert keys.reserve(fingerprint="another recording")

    def test_a_finished_key_cannot_be_changed(self, keys: IdempotencyKeys) -> None:
        reservation = keys.reserve()
        keys.port.finish(reservation, Answer(ANSWER, INTERACTION))

        assert not keys.port.finish(reservation, Answer('"another answer"', INTERACTION))
        assert not keys.port.abandon(reservation)
        assert keys.port.begin(SCOPE, "key", "recording", lease_seconds=60) == FirstAnswer(ANSWER)

    @pytest.mark.parametrize("key", ["", "x" * 10_000, "ключ 🔑", "\x00", "\ud800"])
    def test_a_key_may_be_any_text(self, keys: IdempotencyKeys, key: str) -> None:
        keys.port.finish(keys.reserve(key), Answer(ANSWER, INTERACTION))

        assert keys.port.begin(SCOPE, key, "recording", lease_seconds=60) == FirstAnswer(ANSWER)
        assert isinstance(keys.port.begin(SCOPE, key + "!", "recording", lease_seconds=60), Reservation)

    def test_only_expired_entries_are_pruned(self, keys: IdempotencyKeys) -> None:
        keys.port.finish(keys.reserve("answered"), Answer(ANSWER, INTERACTION))
        keys.reserve("given up by its owner")
        assert keys.port.prune() == 0

        keys.clock.advance(60)
        assert keys.port.prune() == 1
        keys.clock.advance(DAY)
        assert keys.port.prune() == 1

    def test_every_method_reports_a_store_that_cannot_be_reached(self, keys: IdempotencyKeys) -> None:
        if keys.broken is None:
            pytest.skip("there is nothing that could be away")
        port, reservation = keys.broken(), Reservation(SCOPE, "key", uuid4())
        calls: list[Callable[[], object]] = [
            lambda: port.begin(SCOPE, "key", "recording", lease_seconds=60),
            lambda: port.renew(reservation, lease_seconds=60),
            lambda: port.finish(reservation, Answer(ANSWER, INTERACTION)),
            lambda: port.abandon(reservation),
            port.prune,
        ]

        for call in calls:
            with pytest.raises(IdempotencyUnavailableError):
                call()
