"""How much a relay takes at a time: enough to keep the bus busy, and not more text than memory holds."""

from collections.abc import Sequence

from domain.model.outbox import EventLease
from domain.services.relay.dispatcher import text_length
from ports.event_port import MAX_BATCH

BATCH = 500
"""How many events are leased at a time."""

BATCH_IN_TROUBLE = 100

FIRST_BATCH = 50
"""Before anything is known of the bus and of how long the texts are."""

LEASE_CHARACTERS = 6 * 2**20
"""How much text is leased at a time, about: long transcripts must not cost memory without bound."""

ROUNDS = 4
"""How many rounds are in flight at most: while one of long texts is leased or recorded, others are sent."""


class Portions:
    """Sizes of rounds, by the length of the texts that were leased last."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._mean_length = LEASE_CHARACTERS / FIRST_BATCH

    def look_at(self, leases: Sequence[EventLease]) -> None:
        """See how long texts are at present."""
        self._mean_length = sum(map(text_length, leases)) / len(leases)

    def limit(self, *, in_trouble: bool) -> int:
        """How many to lease; while in trouble, enough to find events among them that are not to blame."""
        limit = min(BATCH_IN_TROUBLE, self._batch) if in_trouble else self._batch
        return min(limit, max(MAX_BATCH, int(LEASE_CHARACTERS / self._mean_length)))

    def ahead(self, limit: int) -> int:
        """How many rounds may stay in flight beside one of so many: together they are two batches at most."""
        return min(ROUNDS, max(2, 2 * self._batch // limit)) - 1
