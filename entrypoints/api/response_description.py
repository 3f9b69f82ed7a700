"""OpenAPI descriptions of answers: transcripts, and jobs."""

from entrypoints.api.description import Described
from entrypoints.api.jobs.preferences import APPLIED_HEADER
from entrypoints.api.jobs.schemas import JobSnapshot
from entrypoints.api.representations import EVENT_STATUS_HEADER, WARNINGS_HEADER, WRITERS

RETRY_AFTER: Described = {"$ref": "#/components/headers/RetryAfter"}
TEXT: Described = {"type": "string"}

TRANSCRIPT: Described = {
    "description": "Both transcripts; subtitles or the cleaned text alone, where `Accept` asks for them.",
    "content": {media_type: {"schema": TEXT} for media_type in WRITERS},
    "headers": {
        EVENT_STATUS_HEADER: {
            "description": "Outcome of the event's publication, of answers that are no JSON.",
            "schema": TEXT,
        },
        WARNINGS_HEADER: {
            "description": "Codes of the warnings, of answers that are no JSON.",
            "schema": TEXT,
        },
    },
}
APPLIED: Described = {
    APPLIED_HEADER: {"description": "Preferences that were honoured.", "schema": TEXT, "example": "wait=10"}
}
_TAG: Described = {"ETag": {"description": "Identifies this snapshot, for `If-None-Match`.", "schema": TEXT}}

SNAPSHOT: Described = {
    "description": "The job; `Retry-After` until it has ended.",
    "headers": {**_TAG, "Retry-After": RETRY_AFTER},
}
ACCEPTED_JOB: Described = {
    "model": JobSnapshot,
    "description": "The job was accepted, and goes on though the caller leaves.",
    "headers": {
        "Location": {"description": "Path of the job.", "required": True, "schema": TEXT},
        "Retry-After": RETRY_AFTER,
        **_TAG,
    },
}
NOT_MODIFIED: Described = {"description": "The caller has this snapshot.", "headers": _TAG}
