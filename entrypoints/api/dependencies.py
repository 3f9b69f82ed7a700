"""The one place of the HTTP door that knows the container.

The dependencies are coroutines although they wait for nothing: the framework runs plain functions in threads,
which costs each request more than they do.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple, cast
from uuid import UUID

from fastapi import Depends, Request

from bootstrap.container import Container
from domain.model.errors import InvalidIdentityError
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER, Identity, resolve_identity
from domain.services.batch_processing import BatchProcessingService
from domain.services.idempotency import LeaseRenewal
from entrypoints.api.uploads.spool import UploadSpool
from ports.idempotency_port import IdempotencyPort
from ports.transcriber_port import TranscriberPort


def container_of(request: Request) -> Container:
    """The container that the app was created with."""
    return cast("Container", request.app.state.container)


async def transcriber_of(request: Request) -> TranscriberPort:
    """The speech recogniser that the use case works with."""
    return container_of(request).transcriber()


class UploadContext(NamedTuple):
    """All that it takes to serve an upload; one dependency, since the framework charges for each of them.

    Attributes:
        identity: whose request this is.
        interaction_id: what the middleware gave the request.
        service: the use case.
        transcriber: the speech recogniser that it works with.
        spool: where uploads live in this process.
        idempotency: opens the store of keys, where a request needs it.
        leases: what keeps the keys of the requests in hand.
    """

    identity: Identity
    interaction_id: UUID
    service: BatchProcessingService
    transcriber: TranscriberPort
    spool: UploadSpool
    idempotency: Callable[[], IdempotencyPort]
    leases: LeaseRenewal


async def get_upload_context(request: Request) -> UploadContext:
    """What serves this upload.

    Raises:
        InvalidIdentityError: an identity header is given twice, too long or unprintable.
    """
    container = container_of(request)
    return UploadContext(
        _identity_of(request),
        request.state.interaction_id,
        container.batch_processing(),
        container.transcriber(),
        request.app.state.spool,
        container.idempotency,
        container.lease_renewal(),
    )


def _identity_of(request: Request) -> Identity:
    """Requirement 2."""
    names = (TENANT_HEADER, USER_HEADER, ACCOUNT_HEADER)
    headers = {name: value for name in names if (value := _single_header(request, name)) is not None}
    return resolve_identity(headers, container_of(request).settings().identity_defaults)


def _single_header(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise InvalidIdentityError(f"{name} is given {len(values)} times; whose request is this?")
    return _as_utf_8(values[0]) if values else None


def _as_utf_8(value: str) -> str:
    """Header bytes arrive as Latin-1, but what callers put there today is UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


SpeechRecogniser = Annotated[TranscriberPort, Depends(transcriber_of)]
Upload = Annotated[UploadContext, Depends(get_upload_context)]
