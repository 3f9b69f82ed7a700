"""`/batch/jobs/{id}/recording` and `…/waveform`: recordings of jobs, to listen to and to look at."""

from fastapi import APIRouter, Response

from domain.model import errors
from entrypoints.api import problems
from entrypoints.api.description import ACCESS, Described, problem_responses
from entrypoints.api.jobs.context import ReadDependency
from entrypoints.api.jobs.playback import (
    MEDIA_TYPE,
    NOT_STORED,
    PlaybackDependency,
    PlaybackResponse,
    copy_of,
)
from entrypoints.api.jobs.schemas import Waveform
from entrypoints.api.request_description import TENANT, header
from entrypoints.api.response_description import TEXT

router = APIRouter(prefix="/batch/jobs", tags=["jobs"])

_COPY = (
    *ACCESS,
    errors.JobNotFoundError,
    errors.RecordingGoneError,
    errors.NotAudioError,
    errors.UnsupportedFormatError,
    errors.UndecodableAudioError,
    errors.AudioTooLongError,
    errors.TranscriptionTooCostlyError,
    errors.TranscriberUnavailableError,
    errors.JobStoreUnavailableError,
    errors.RecordingStoreUnavailableError,
    problems.TooManyCopiesError,
    problems.StorageFullError,
)
_RANGE = header("Range", "One range of bytes; several ranges are answered with the whole copy.", TEXT)
_IF_RANGE = header("If-Range", "Entity tag of the copy that the range belongs to.", TEXT)
_SOUND: Described = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
_TAG: Described = {"description": "Identifies this copy, for `If-Range`.", "schema": TEXT}
_PLACE: Described = {
    "description": "Place of the range in the copy.",
    "schema": TEXT,
    "example": "bytes 0-65535/429812",
}


@router.get(
    "/{job_id}/recording",
    operation_id="play_recording",
    response_class=Response,
    responses={
        200: {"description": "The whole copy.", "content": _SOUND, "headers": {"ETag": _TAG}},
        206: {
            "description": "A range of the copy.",
            "content": _SOUND,
            "headers": {"ETag": _TAG, "Content-Range": _PLACE},
        },
        **problem_responses(*_COPY, problems.RangeNotSatisfiableError),
    },
    openapi_extra={"parameters": [TENANT, _RANGE, _IF_RANGE]},
)
async def play_recording(job_id: str, context: ReadDependency, playback: PlaybackDependency) -> Response:
    """Send a copy of the recording that every browser plays and seeks in: AAC in MP4, mono.

    Times in it are those of the transcript. It is made at the first request; an hour of sound takes half a
    minute.
    """
    return PlaybackResponse(await copy_of(context, playback, job_id), job_id, context.waits)


@router.get(
    "/{job_id}/waveform",
    operation_id="get_waveform",
    response_model=Waveform,
    responses=problem_responses(*_COPY),
    openapi_extra={"parameters": [TENANT]},
)
async def get_waveform(job_id: str, context: ReadDependency, playback: PlaybackDependency) -> Response:
    """Describe the recording's loudness for drawing; made together with the copy that plays."""
    copy = await copy_of(context, playback, job_id)
    waveform = Waveform(duration_seconds=copy.duration_seconds, peaks=list(copy.peaks))
    return Response(waveform.model_dump_json(), headers=NOT_STORED, media_type="application/json")
