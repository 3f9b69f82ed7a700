"""Uploads that may be repeated: the header `Idempotency-Key` (IETF draft of that name).

The same key with the same recording gets the first answer again, and no second event is published. Keys are a
tenant's own; callers without a tenant share one.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from starlette.requests import Request

from domain.model.errors import IdempotencyUnavailableError
from domain.model.idempotency import FirstAnswer, Reservation
from domain.model.identity import Identity
from domain.services.idempotency import LEASE_SECONDS, LeaseRenewal
from entrypoints.api.problems import InvalidIdempotencyKeyError
from entrypoints.api.schemas import BatchResponse
from ports.idempotency_port import IdempotencyPort

logger = logging.getLogger(__name__)

KEY_HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 255

NO_TENANT = UUID(int=0)


def idempotency_key(request: Request) -> str | None:
    """The request's key, if it has one.

    Raises:
        InvalidIdempotencyKeyError: it is empty, too long, unprintable or given twice.
    """
    values = request.headers.getlist(KEY_HEADER)
    if not values:
        return None
    key = values[0].strip().strip('"')
    if len(values) > 1 or not key or len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidIdempotencyKeyError(
            f"{KEY_HEADER} must be given once, with 1 to {MAX_KEY_LENGTH} printable characters."
        )
    return key


async def once(
    store: IdempotencyPort,
    leases: LeaseRenewal,
    identity: Identity,
    key: str,
    recording: Path,
    work: Callable[[], Awaitable[BatchResponse]],
) -> BatchResponse:
    """Do the work for the first request with this key, and answer the next ones with what came of it.

    What ends in an error is not remembered: the next request with the key tries again.

    Raises:
        IdempotencyError: the key belongs to another recording, is being worked on, or cannot be looked up.
    """
    tenant_id = NO_TENANT if identity.is_tenant_generated else identity.tenant_id
    fingerprint = await asyncio.to_thread(_sha256, recording)
    began = await asyncio.to_thread(store.begin, tenant_id, key, fingerprint, lease_seconds=LEASE_SECONDS)
    if isinstance(began, FirstAnswer):
        logger.info("request repeated, answered as before")
        return BatchResponse.model_validate_json(began.json)
    try:
        with leases.holding(began):
            answer = await work()
    except BaseException:
        await _quietly(store.abandon, began)
        raise
    await _quietly(store.finish, began, answer.model_dump_json())
    return answer


async def _quietly(report: Callable[..., bool], reservation: Reservation, *answer: str) -> None:
    """The caller has an answer or an error to get, whatever becomes of the key."""
    try:
        await asyncio.to_thread(report, reservation, *answer)
    except IdempotencyUnavailableError:
        logger.exception("what became of the idempotency key could not be recorded")


def _sha256(recording: Path) -> str:
    with recording.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
