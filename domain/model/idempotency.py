"""What is remembered of a request that may be repeated (IETF draft: Idempotency-Key HTTP header field)."""

from typing import NamedTuple
from uuid import UUID


class Reservation(NamedTuple):
    """The right to be the first request with a key; it is answered, given up, or runs out unrenewed.

    Attributes:
        token: differs with every reservation; what its owner reports counts only while it is the latest one.
    """

    tenant_id: UUID
    key: str
    token: UUID


class FirstAnswer(NamedTuple):
    """What the first request with a key was answered, as JSON."""

    json: str
