"""FastAPI dependencies: the container and the objects of it that routes use.

The dependencies are coroutines although they await nothing: the framework runs plain functions in threads,
which costs each request more than they do.
"""

from typing import Annotated, NamedTuple, cast
from uuid import UUID

from fastapi import Depends, Request, Security

from bootstrap.container import Container
from domain.model.access import Scope
from domain.model.identity import Identity
from domain.model.result_warnings import ResultWarning
from domain.services.batch_processing import BatchProcessingService
from domain.services.idempotency import IdempotentRequests
from entrypoints.api.access import CallerDependency
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


async def get_upload_context(request: Request, caller: CallerDependency) -> UploadContext:
    """Collect the collaborators of an upload."""
    container = await get_container(request)
    return UploadContext(
        identity=caller.identity,
        interaction_id=request.state.interaction_id,
        warnings=request.state.warnings,
        batch_processing=container.batch_processing(),
        transcriber=container.transcriber(),
        spool=await get_spool(request),
        idempotent_requests=container.idempotent_requests(),
    )


ContainerDependency = Annotated[Container, Depends(get_container)]
TranscriberDependency = Annotated[TranscriberPort, Depends(get_transcriber)]
SpoolDependency = Annotated[UploadSpool, Depends(get_spool)]
UploadDependency = Annotated[UploadContext, Security(get_upload_context, scopes=[Scope.WRITE])]
