"""Header `Idempotency-Key` (IETF draft of that name): uploads that may be repeated.

The same key of the same user with the same recording gets the first answer again, and no second event is
published.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request

from domain.model.idempotency import Answer
from domain.model.identity import Identity, Interaction
from domain.services.idempotency import IdempotentRequests
from entrypoints.api.parameters import UploadParameters
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
    parameters: UploadParameters,
    work: Callable[[], Awaitable[BatchResponse]],
) -> BatchResponse:
    """Process a recording once for this key; a hash tells the request from others with the key.

    Raises:
        IdempotencyError: see `IdempotentRequests.once`.
    """
    first: BatchResponse | None = None  # not parsed again: its transcripts may be long

    async def first_answer() -> Answer:
        nonlocal first
        first = await work()
        interaction = Interaction(first.interaction_id, first.tenant_id, first.user_id)
        return Answer(first.model_dump_json(), interaction)

    others = [identity.account_id, sorted(parameters.values.items())]
    fingerprint = await asyncio.to_thread(_fingerprint, recording, json.dumps(others))
    answer = await requests.once(identity, key, fingerprint, first_answer)
    return first or BatchResponse.model_validate_json(answer)


def _fingerprint(recording: Path, others: str) -> str:
    """Hash a recording, and what else the request asks for."""
    with recording.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(others.encode())
    return digest.hexdigest()
