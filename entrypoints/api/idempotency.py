"""Header `Idempotency-Key` (IETF draft of that name): uploads that may be repeated.

The same key with the same recording gets the first answer again, and no second event is published.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request

from domain.model.identity import Identity
from domain.services.idempotency import IdempotentRequests
from entrypoints.api.problems import InvalidIdempotencyKeyError
from entrypoints.api.schemas import BatchResponse

KEY_HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 255


def idempotency_key(request: Request) -> str | None:
    """Read the key of a request; None without the header.

    Raises:
        InvalidIdempotencyKeyError: the key is empty, too long, unprintable or given twice.
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


async def process_once(
    requests: IdempotentRequests,
    identity: Identity,
    key: str,
    recording: Path,
    work: Callable[[], Awaitable[BatchResponse]],
) -> BatchResponse:
    """Process a recording once for this key; its hash tells it from other recordings.

    Raises:
        IdempotencyError: see `IdempotentRequests.once`.
    """
    first: BatchResponse | None = None  # not parsed again: its transcripts may be long

    async def answer_json() -> str:
        nonlocal first
        first = await work()
        return first.model_dump_json()

    fingerprint = await asyncio.to_thread(_sha256, recording)
    json = await requests.once(identity, key, fingerprint, answer_json)
    return first or BatchResponse.model_validate_json(json)


def _sha256(recording: Path) -> str:
    with recording.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
