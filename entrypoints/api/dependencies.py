"""The one place of the HTTP door that knows the container.

The dependencies are coroutines although they wait for nothing: the framework runs plain functions in threads,
which costs each request more than they do.
"""

from collections.abc import Callable
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from bootstrap.container import Container
from domain.model.errors import InvalidIdentityError
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER, Identity, resolve_identity
from domain.services.batch_processing import BatchProcessingService
from domain.services.lease_renewal import LeaseRenewal
from entrypoints.api.spool import UploadSpool
from ports.idempotency_port import IdempotencyPort
from ports.transcriber_port import TranscriberPort


def container_of(request: Request) -> Container:
    """The container that the app was created with."""
    return cast("Container", request.app.state.container)


async def spool_of(request: Request) -> UploadSpool:
    """The folder for uploads of this process."""
    return cast("UploadSpool", request.app.state.spool)


async def interaction_id_of(request: Request) -> UUID:
    """The id that the middleware gave this request."""
    return cast("UUID", request.state.interaction_id)


async def batch_processing_of(request: Request) -> BatchProcessingService:
    """The use case."""
    return container_of(request).batch_processing()


async def transcriber_of(request: Request) -> TranscriberPort:
    """The speech recogniser that the use case works with."""
    return container_of(request).transcriber()


async def idempotency_of(request: Request) -> Callable[[], IdempotencyPort]:
    """Opens the store of keys, where a request needs it."""
    return container_of(request).idempotency


async def leases_of(request: Request) -> LeaseRenewal:
    """What keeps the keys of the requests in hand."""
    return container_of(request).lease_renewal()


async def identity_of(request: Request) -> Identity:
    """Whose request this is (requirement 2).

    Raises:
        InvalidIdentityError: a header is given twice, too long or unprintable.
    """
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


IdempotencyStore = Annotated[Callable[[], IdempotencyPort], Depends(idempotency_of)]
BatchProcessing = Annotated[BatchProcessingService, Depends(batch_processing_of)]
CallerIdentity = Annotated[Identity, Depends(identity_of)]
KeyLeases = Annotated[LeaseRenewal, Depends(leases_of)]
InteractionId = Annotated[UUID, Depends(interaction_id_of)]
Spool = Annotated[UploadSpool, Depends(spool_of)]
SpeechRecogniser = Annotated[TranscriberPort, Depends(transcriber_of)]
