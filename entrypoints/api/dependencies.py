"""FastAPI dependencies: the container and the objects of it that routes use.

The dependencies are coroutines although they await nothing: the framework runs plain functions in threads,
which costs each request more than they do.
"""

from typing import Annotated, NamedTuple, cast
from uuid import UUID

from fastapi import Depends, Request

from bootstrap.container import Container
from domain.model.errors import InvalidIdentityError
from domain.model.identity import (
    ACCOUNT_HEADER,
    TENANT_HEADER,
    USER_HEADER,
    Identity,
    IdentityDefaults,
    resolve_identity,
)
from domain.model.result_warnings import ResultWarning
from domain.services.batch_processing import BatchProcessingService
from domain.services.idempotency import IdempotentRequests
from entrypoints.api.uploads.spool import UploadSpool
from ports.transcriber_port import TranscriberPort


async def get_container(request: Request) -> Container:
    """Return the container that the app was created with."""
    return cast("Container", request.app.state.container)


async def get_transcriber(request: Request) -> TranscriberPort:
    """Return the transcriber of the container."""
    return (await get_container(request)).transcriber()


async def get_spool(request: Request) -> UploadSpool:
    """Return the upload spool of this process."""
    return cast("UploadSpool", request.app.state.spool)


class UploadContext(NamedTuple):
    """Collaborators of one upload, as one dependency: the framework charges for each."""

    identity: Identity
    interaction_id: UUID  # identifies the request in the log, the event and the answer
    warnings: tuple[ResultWarning, ...]  # about the request's headers
    batch_processing: BatchProcessingService
    transcriber: TranscriberPort
    spool: UploadSpool  # stores uploads of this process while they are processed
    idempotent_requests: IdempotentRequests  # replays answers to requests with a known key


async def get_upload_context(request: Request) -> UploadContext:
    """Collect the collaborators of an upload.

    Raises:
        InvalidIdentityError: an identity header is given twice, too long or unprintable.
    """
    container = await get_container(request)
    return UploadContext(
        identity=resolved_identity(request, container.settings().identity_defaults),
        interaction_id=request.state.interaction_id,
        warnings=request.state.warnings,
        batch_processing=container.batch_processing(),
        transcriber=container.transcriber(),
        spool=await get_spool(request),
        idempotent_requests=container.idempotent_requests(),
    )


def resolved_identity(request: Request, defaults: IdentityDefaults) -> Identity:
    """Resolve the identity of a request from its headers (requirement 2).

    Raises:
        InvalidIdentityError: an identity header is given twice, too long or unprintable.
    """
    names = (TENANT_HEADER, USER_HEADER, ACCOUNT_HEADER)
    headers = {name: value for name in names if (value := _single_header(request, name)) is not None}
    return resolve_identity(headers, defaults)


def _single_header(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise InvalidIdentityError(f"{name} is given {len(values)} times; send it once.")
    return _as_utf_8(values[0]) if values else None


def _as_utf_8(value: str) -> str:
    """Decode a header as UTF-8, which callers send today; the server reads its bytes as Latin-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


ContainerDependency = Annotated[Container, Depends(get_container)]
TranscriberDependency = Annotated[TranscriberPort, Depends(get_transcriber)]
SpoolDependency = Annotated[UploadSpool, Depends(get_spool)]
UploadDependency = Annotated[UploadContext, Depends(get_upload_context)]
