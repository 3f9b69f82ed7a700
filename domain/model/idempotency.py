"""Idempotency keys: a reservation while the first request runs, its answer afterwards (IETF draft)."""

import json
from typing import NamedTuple
from uuid import UUID, uuid5

from domain.model.clock import SECONDS_PER_DAY
from domain.model.identity import Identity, Interaction

RETENTION_SECONDS = SECONDS_PER_DAY
"""Time for which the answer to a key is kept."""

_SCOPES = UUID("d5a0f3b6-6a57-4f0e-9d0b-0e1b6c0c8f5d")
"""Namespace of the scopes; it must never change."""


class Reservation(NamedTuple):
    """Right to be the first request with a key; it is finished, abandoned, or expires unless renewed."""

    scope: UUID
    key: str
    token: UUID  # unique to each reservation; only the latest reservation of a key can be finished or renewed


class Answer(NamedTuple):
    """Answer of a request that is the first one with its key."""

    json: str
    interaction: Interaction  # erasing it erases the answer


class FirstAnswer(NamedTuple):
    """Answer to the first request with a key, as JSON."""

    json: str


def key_scope(identity: Identity) -> UUID:
    """Derive the scope of a caller's keys from tenant and user, as the caller or the environment named them.

    Callers without a valid tenant do not share keys, although the service generates their tenants.
    """
    tenant = str(identity.tenant_id) if identity.replaced_tenant is None else identity.replaced_tenant
    return uuid5(_SCOPES, json.dumps([tenant, identity.user_id]))
