"""Idempotency keys: a reservation while the first request runs, its answer afterwards (IETF draft)."""

from typing import NamedTuple
from uuid import UUID


class Reservation(NamedTuple):
    """Right to be the first request with a key; it is finished, abandoned, or expires unless renewed."""

    tenant_id: UUID
    key: str
    token: UUID  # unique to each reservation; only the latest reservation of a key can be finished or renewed


class FirstAnswer(NamedTuple):
    """Answer to the first request with a key, as JSON."""

    json: str
