"""Failures of a try: whether the job ends, is tried a few times more, or waits until a dependency is back."""

import errno
from enum import Enum, auto
from typing import NamedTuple

from domain.model import errors
from domain.model.events.failed import MAX_DETAIL_LENGTH, FailureData
from domain.model.problem_names import problem_name

INTERNAL = "internal-error"
CRASHED = FailureData(
    reason=problem_name(errors.TranscriberCrashedError),
    detail="Each process that worked on the recording died before it had finished another part of it.",
    retryable=True,
)
"""Problem of a job that ends its workers."""
CANCELLED = FailureData(reason="cancelled", detail="The job was cancelled before its end.", retryable=True)


class Consequence(Enum):
    """Consequence of an error for the job."""

    END = auto()
    """Another try would fail as well."""
    COUNT = auto()
    """Another try may succeed; after `MAX_FAILURES` in a row the job has failed."""
    WAIT = auto()
    """The recording is not at fault: the job waits until the dependency is back, and does not fail."""


class Failure(NamedTuple):
    """Error of a try, and its consequence."""

    problem: FailureData
    consequence: Consequence


_END = (errors.RecordingError, errors.TranscriptionTooCostlyError)
_WAIT = (
    errors.TranscriberBusyError,
    errors.TranscriberUnavailableError,
    errors.RecordingStoreUnavailableError,
    errors.JobStoreUnavailableError,
)
_STORES = (errors.RecordingStoreUnavailableError, errors.JobStoreUnavailableError)
UNAVAILABLE = "A store of the service is unavailable; the job waits until it is back."
"""Detail for callers, who need not know names of hosts, buckets and folders; the log has them."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def failure_of(error: Exception) -> Failure:
    """Classify an error; the texts of unexpected ones stay in the log."""
    match error:
        case errors.TranscriptionServiceError():
            return Failure(_problem(error), _consequence(error))
        case OSError(errno=number) if number in _FULL:
            detail = "The disk for the recording is full."
            return Failure(
                FailureData(reason="storage-full", detail=detail, retryable=True), Consequence.WAIT
            )
    detail = "Unexpected error in the service; its log has the details under this interaction id."
    return Failure(FailureData(reason=INTERNAL, detail=detail, retryable=True), Consequence.COUNT)


def _problem(error: errors.TranscriptionServiceError) -> FailureData:
    text = UNAVAILABLE if isinstance(error, _STORES) else str(error)
    detail = text.encode(errors="replace").decode()[:MAX_DETAIL_LENGTH]
    return FailureData(
        reason=problem_name(type(error)),
        detail=detail.replace("\ufffe", "?").replace("\uffff", "?"),
        retryable=not isinstance(error, _END),
    )


def _consequence(error: errors.TranscriptionServiceError) -> Consequence:
    if isinstance(error, _END):
        return Consequence.END
    return Consequence.WAIT if isinstance(error, _WAIT) else Consequence.COUNT
