"""Calls of Amazon Transcribe, and of S3 for its sound and output; they block, so threads make them."""

from contextlib import closing
from io import BufferedIOBase
from threading import Event
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, cast

from boto3.s3.transfer import TransferConfig

from adapters.aws.errors import translate_transcription_errors
from adapters.aws.transcribe.order import JobOrder
from domain.model.errors import TranscriberUnavailableError, TranscriptionFailedError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_transcribe import TranscribeServiceClient

TRANSCRIBE, S3 = "Amazon Transcribe", "Amazon S3"

MAX_OUTPUT_BYTES = 256 * 2**20
"""Limit of an output; four hours of speech with speakers take about 40 MB."""

PARTS = TransferConfig(multipart_threshold=16 * 2**20, multipart_chunksize=16 * 2**20, use_threads=False)
"""Parts of an upload, one at a time: one part is in memory."""

_NOT_FOUND = "be found"
"""Words of the BadRequestException for a job that does not exist: "The requested job couldn't be found."."""


_BUCKET_FAULTS = {
    "403": "refuses us: it is of another account, or these credentials lack s3:ListBucket on it",
    "404": "does not exist: create it, or correct TRANSCRIBE_BUCKET",
}
"""Faults by the status of HeadBucket, which answers without a text."""


_NO_OUTPUT = {"NoSuchKey", "AccessDenied"}


class FoundJob(NamedTuple):
    """State of a job."""

    status: str  # QUEUED, IN_PROGRESS, COMPLETED or FAILED
    failure_reason: str = ""  # of a failed job


class TranscribeApi:
    """Starts, finds and deletes jobs; stores their sound and reads their output in one bucket.

    Every call raises, besides what it says itself:
        TranscriberBusyError: a limit of the account is reached.
        TranscriberUnavailableError: permissions, credentials or the network are at fault.
    """

    def __init__(self, transcribe: "TranscribeServiceClient", s3: "S3Client", *, bucket: str) -> None:
        self.bucket = bucket
        self._transcribe = transcribe
        self._s3 = s3

    def check_access(self, region: str) -> None:
        """Check that Transcribe and the bucket answer, and that the bucket lies in the region of the jobs.

        Raises:
            TranscriberUnavailableError: one of them does not; the message names it and what to do.
        """
        with translate_transcription_errors(TRANSCRIBE):
            self._transcribe.list_transcription_jobs(MaxResults=1)
        with translate_transcription_errors(S3):
            try:
                found = self._s3.head_bucket(Bucket=self.bucket).get("BucketRegion", region)
            except self._s3.exceptions.ClientError as error:
                if (fault := _BUCKET_FAULTS.get(error.response["Error"]["Code"])) is None:
                    raise
                raise TranscriberUnavailableError(f"{S3}: the bucket {self.bucket} {fault}") from None
        if found != region:
            raise TranscriberUnavailableError(
                f"{S3}: the bucket {self.bucket} lies in {found}; jobs in {region} read no sound from there"
            )

    def find(self, name: str) -> FoundJob | None:
        """Look at a job; None where there is none of that name."""
        with translate_transcription_errors(TRANSCRIBE):
            try:
                job = self._transcribe.get_transcription_job(TranscriptionJobName=name)["TranscriptionJob"]
            except self._transcribe.exceptions.NotFoundException:
                return None
            except self._transcribe.exceptions.BadRequestException as error:
                if _NOT_FOUND in error.response["Error"]["Message"]:
                    return None
                raise
            return FoundJob(job.get("TranscriptionJobStatus", "QUEUED"), job.get("FailureReason", ""))

    def start(self, order: JobOrder) -> bool:
        """Start a job; False where there is one of that name.

        Raises:
            TranscriptionFailedError: Transcribe refuses the request; so it does without access to the bucket.
        """
        with translate_transcription_errors(TRANSCRIBE):
            try:
                self._transcribe.start_transcription_job(**order.request())
            except self._transcribe.exceptions.ConflictException:
                return False
        return True

    def delete(self, name: str) -> bool:
        """Delete a job; False where Transcribe keeps it, since it has not ended yet."""
        with translate_transcription_errors(TRANSCRIBE):
            try:
                self._transcribe.delete_transcription_job(TranscriptionJobName=name)
            except self._transcribe.exceptions.NotFoundException:
                return True
            except self._transcribe.exceptions.BadRequestException as error:
                return _NOT_FOUND in error.response["Error"]["Message"]
        return True

    def upload(self, file: BinaryIO, key: str, stop: Event) -> None:
        """Store a file, encrypted; another thread may set `stop`, which ends the upload without an object."""
        file.seek(0)
        with translate_transcription_errors(S3):
            self._s3.upload_fileobj(
                cast("IO[bytes]", _Stoppable(file, stop)),
                self.bucket,
                key,
                ExtraArgs={"ServerSideEncryption": "AES256", "ContentType": "audio/flac"},
                Config=PARTS,
            )

    def download(self, key: str) -> bytes:
        """Read an object.

        Raises:
            TranscriptionFailedError: there is none, it may not be read, or it is too large. S3 says "access
                denied" of a missing object to a caller that may not list the bucket.
        """
        with translate_transcription_errors(S3):
            try:
                body = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"]
            except self._s3.exceptions.ClientError as error:
                if (code := error.response["Error"]["Code"]) not in _NO_OUTPUT:
                    raise
                message = (
                    f"{S3} GetObject: {code}: there is no output s3://{self.bucket}/{key}, or no right to it"
                )
                raise TranscriptionFailedError(message) from None
            with closing(body):
                content = body.read(MAX_OUTPUT_BYTES + 1)
        if len(content) > MAX_OUTPUT_BYTES:
            raise TranscriptionFailedError(f"{S3}: the output s3://{self.bucket}/{key} is too large")
        return content

    def remove(self, key: str) -> None:
        """Remove an object, where there is one."""
        with translate_transcription_errors(S3):
            self._s3.delete_object(Bucket=self.bucket, Key=key)


class _Stoppable(BufferedIOBase):
    """File that another thread can make unreadable; S3's transfer closes it, and leaves the file open."""

    def __init__(self, file: BinaryIO, stop: Event) -> None:
        self._file = file
        self._stop = stop

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if self._stop.is_set():
            raise InterruptedError("the upload was cancelled")
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
