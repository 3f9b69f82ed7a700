"""Idempotency keys: a reservation while the first request runs, its answer afterwards (IETF draft)."""

from typing import NamedTuple
from uuid import UUID

from domain.model.clock import SECONDS_PER_DAY

RETENTION_SECONDS = SECONDS_PER_DAY
"""Time for which the answer to a key is kept."""


class Reservation(NamedTuple):
    """Right to be the first request with a key; it is finished, abandoned, or expires unless renewed."""

    tenant_id: UUID
    key: str
    token: UUID  # unique to each reservation; only the latest reservation of a key can be finished or renewed


class FirstAnswer(NamedTuple):
    """Answer to the first request with a key, as JSON."""

    json: str
