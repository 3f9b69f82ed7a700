"""Jobs as callers see them: submit, look, list, cancel, erase, retry, and fetch the transcript."""

import hashlib
import json
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

from domain.model.errors import (
    JobNotFoundError,
    JobNotRetryableError,
    JobStoreUnavailableError,
    JobUnfinishedError,
    JobWithoutTranscriptError,
    RecordingStoreUnavailableError,
)
from domain.model.events.erased import ErasureCause
from domain.model.idempotency import key_scope
from domain.model.identity import Identity, Interaction
from domain.model.jobs import (
    Job,
    JobKey,
    JobOrder,
    JobPage,
    JobQuery,
    JobResult,
    JobState,
    StoredRecording,
)
from domain.model.metadata import Metadata
from domain.model.result_warnings import ResultWarning
from domain.model.transcripts import DEFAULT_OPTIONS, TranscriptionOptions
from domain.services.erasure.eraser import Eraser
from domain.services.jobs.announcement import JobAnnouncement
from domain.services.jobs.failures import CANCELLED
from domain.services.jobs.sources import RecordingSources
from ports.job_bell_port import JobBellPort
from ports.job_store_port import JobStorePort
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)

RETRYABLE = frozenset({JobState.FAILED, JobState.CANCELLED})
NO_SUCH_JOB = "There is no such job."
"""Message for a job that is another tenant's as well, so that a caller cannot find out which ids exist."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """All that a caller asks for, beside the recording."""

    identity: Identity
    interaction_id: UUID  # the job's id, unless it is taken
    options: TranscriptionOptions = DEFAULT_OPTIONS
    metadata: Metadata = field(default_factory=dict)
    warnings: tuple[ResultWarning, ...] = ()  # about the request; those about the identity are in it
    idempotency_key: str | None = None


class JobService:
    """Use cases of the callers of jobs; every method may block."""

    def __init__(
        self,
        jobs: JobStorePort,
        recordings: RecordingStorePort,
        sources: RecordingSources,
        bell: JobBellPort,
        announcement: JobAnnouncement,
        eraser: Eraser,
        *,
        queue: str,  # the queue of new jobs
    ) -> None:
        self._jobs = jobs
        self._recordings = recordings
        self._sources = sources
        self._bell = bell
        self._announcement = announcement
        self._eraser = eraser
        self._queue = queue

    def submit(self, recording: Path, request: JobRequest) -> Job:
        """Store a recording and a job for it; the file may be gone afterwards.

        The job is durable when the call returns. A repeated key returns the job of its first request.

        Raises:
            IdempotencyConflictError: the key was used with other content.
            JobStoreUnavailableError: the job cannot be stored; it is not accepted.
            RecordingStoreUnavailableError: the recording cannot be stored; the job is not accepted.
        """
        stored = self._sources.store(recording)
        try:
            job = self._add(request, stored.sha256, recording=stored)
        except BaseException:
            self._discard(stored)
            raise
        if job.order.recording != stored:  # the key is known
            self._discard(stored)
        return job

    def submit_url(self, url: str, request: JobRequest) -> Job:
        """Store a job for a recording that its worker fetches.

        Raises:
            SourceRefusedError: recordings are not fetched from there.
            IdempotencyConflictError: the key was used with other content.
            JobStoreUnavailableError: the job cannot be stored; it is not accepted.
        """
        self._sources.check(url)
        return self._add(request, url, source_url=url)

    def find(self, tenant_id: UUID, job_id: UUID) -> Job:
        """Return a job of the tenant.

        Raises:
            JobNotFoundError: there is none, or it is another tenant's.
            JobStoreUnavailableError: the store cannot be read.
        """
        job = self.find_of_any_tenant(job_id)
        if job.order.identity.tenant_id != tenant_id:
            raise JobNotFoundError(NO_SUCH_JOB)
        return job

    def find_of_any_tenant(self, job_id: UUID) -> Job:
        """Return a job, for an operator; callers use `find`, which keeps tenants apart.

        Raises:
            JobNotFoundError: there is none.
            JobStoreUnavailableError: the store cannot be read.
        """
        job = self._jobs.find(job_id)
        if job is None:
            raise JobNotFoundError(NO_SUCH_JOB)
        return job

    def page(self, query: JobQuery) -> JobPage:
        """Return jobs of the query's tenant, newest first; a caller's query must name its own tenant."""
        return self._jobs.page(query)

    def result(self, tenant_id: UUID, job_id: UUID) -> tuple[Job, JobResult]:
        """Return a completed job with its transcript.

        Raises:
            JobNotFoundError: there is none, or it is another tenant's.
            JobUnfinishedError: the job has not ended.
            JobWithoutTranscriptError: the job failed or was cancelled.
        """
        job = self.find(tenant_id, job_id)
        if not job.state.is_final:
            raise JobUnfinishedError(f"The job is {job.state}; there is no transcript yet.")
        result = self._jobs.result(job_id)
        if result is None:
            raise JobWithoutTranscriptError(f"The job is {job.state}; it has no transcript.")
        return job, result

    def cancel(self, tenant_id: UUID, job_id: UUID) -> Job:
        """End a job that has not ended; one that has is returned as it is.

        Raises:
            JobNotFoundError: there is none, or it is another tenant's.
        """
        job = self.find(tenant_id, job_id)
        event = self._announcement.of_failure(job, CANCELLED)
        if self._jobs.cancel(job_id, CANCELLED, event):
            self._announcement.wake()
            self._bell.ring(job_id, job.order.queue)
            logger.info("job cancelled", extra={"interaction_id": str(job_id), "tenant_id": str(tenant_id)})
        return self.find(tenant_id, job_id)

    def erase(self, tenant_id: UUID, job_id: UUID, *, requested_by: str) -> None:
        """Delete a job that has ended, its transcript, its recording and its event, and leave a tombstone.

        Raises:
            JobNotFoundError: there is none, or it is another tenant's.
            JobUnfinishedError: the job has not ended.
            RecordingStoreUnavailableError: the recording is still stored; it is deleted later.
        """
        job = self.find(tenant_id, job_id)
        interaction = Interaction(job.event_id or job.id, tenant_id, job.order.identity.user_id)
        objects = self._eraser.erase(interaction, requested_by=requested_by, cause=ErasureCause.REQUEST)
        if objects.unreachable is not None:
            raise objects.unreachable

    def retry(self, tenant_id: UUID, job_id: UUID) -> Job:
        """Add a job with recording and settings of a failed or cancelled one; a repeated call finds it.

        Raises:
            JobNotFoundError: there is none, or it is another tenant's.
            JobNotRetryableError: the job has not failed, or its recording is not stored any more.
        """
        job = self.find(tenant_id, job_id)
        order = replace(
            job.order,
            id=uuid4(),
            retry_of=job_id,
            queue=self._queue,
            event_kinds=self._announcement.kinds,
        )
        again = self._jobs.retry(job_id, order)
        if again is None:
            raise JobNotRetryableError(_why_not_retryable(job))
        self._bell.ring(again.id, again.order.queue)
        return again

    def _discard(self, stored: StoredRecording) -> None:
        """Delete a recording unless a job has it: an unavailable store may have recorded the job.

        Where that cannot be found out, or the recording not be deleted, it is left to the maintenance.
        """
        try:
            if not self._jobs.known_recordings((stored.key,)):
                self._recordings.delete(stored.key)
        except (JobStoreUnavailableError, RecordingStoreUnavailableError) as error:
            logger.warning("recording of no job not deleted yet", extra={"error": str(error)})

    def _add(
        self,
        request: JobRequest,
        content: str,
        *,
        recording: StoredRecording | None = None,
        source_url: str | None = None,
    ) -> Job:
        order = JobOrder(
            id=request.interaction_id,
            identity=request.identity,
            queue=self._queue,
            recording=recording,
            source_url=source_url,
            options=request.options,
            metadata=request.metadata,
            warnings=request.warnings + request.identity.warnings,
            key=_key(request, content),
            event_kinds=self._announcement.kinds,
        )
        job = self._jobs.add(order)
        self._bell.ring(job.id, job.order.queue)
        logger.info(
            "job accepted",
            extra={
                "interaction_id": str(job.id),
                "tenant_id": str(request.identity.tenant_id),
                "recording_bytes": recording and recording.size,
            },
        )
        return job


def _key(request: JobRequest, content: str) -> JobKey | None:
    """Derive scope and fingerprint of an idempotency key; the content is a hash, or a URL."""
    if request.idempotency_key is None:
        return None
    asked = [content, request.identity.account_id, request.options.model_dump(mode="json"), request.metadata]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return JobKey(key_scope(request.identity), request.idempotency_key, digest)


def _why_not_retryable(job: Job) -> str:
    if job.state not in RETRYABLE:
        return f"The job is {job.state}; only failed and cancelled jobs can be tried again."
    return "The recording of the job is not stored any more; send it again."
