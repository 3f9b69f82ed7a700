"""The error tree of the service: the type of an error says whether to retry, never its message.

TranscriptionServiceError
├── ConfigurationError              a variable has a wrong value; the start stops
├── InvalidIdentityError            an identity header is invalid
├── UnauthenticatedError            the request proves no caller
├── AccessDeniedError               the caller may not do this, or contradicts its credentials
│   ├── InsufficientScopeError      the credentials lack a scope
│   ├── UnknownTenantError          the credentials name no tenant, or one that is no UUID v4
│   └── UntrustedPeerError          only listed proxies may name the caller
├── AuthenticatorUnavailableError   credentials cannot be examined at present
├── ApiKeyError                     an API key does not exist, or cannot be rotated
├── RecordingError                  the upload is at fault
│   ├── MissingRecordingError
│   ├── EmptyRecordingError
│   ├── RecordingTooLargeError
│   ├── NotAudioError
│   ├── UnsupportedFormatError
│   ├── UndecodableAudioError
│   ├── AudioTooLongError
│   ├── SourceRefusedError          the recording cannot be fetched from the URL that the caller names
│   ├── RecordingGoneError          the recording is not stored any more
│   └── UnsupportedOptionError      the engine cannot do what the caller asks for
├── TranscriptionError              the engine is at fault
│   ├── TranscriberBusyError        retry later
│   ├── TranscriberCrashedError
│   ├── TranscriberStalledError
│   ├── TranscriptionTooCostlyError do not retry: this recording takes too much processor time
│   ├── TranscriptionFailedError    a service on the network refused the recording, or failed at it
│   └── TranscriberUnavailableError
├── EventPublishError               the event was not published
│   ├── EventRejectedError          do not retry: this event is at fault
│   │   ├── EventTooLargeError      unless its transcripts are stored elsewhere
│   │   └── InteractionIdTakenError unless it gets another interaction id
│   └── EventBusUnavailableError    retry: the bus, the network or the credentials are at fault
│       └── EventBusRefusesUsError  no event will be accepted until the configuration is corrected
├── OutboxUnavailableError          the outbox is unavailable; the event may not be recorded
├── IdempotencyError                the idempotency key of this request cannot be honoured
│   ├── IdempotencyConflictError    the key belongs to another recording
│   ├── IdempotencyInProgressError  retry later
│   └── IdempotencyUnavailableError the store of keys is unavailable
├── JobError                        a job cannot do what a caller asks of it
│   ├── JobNotFoundError            there is no such job, or it is another tenant's
│   ├── JobUnfinishedError          there is no transcript yet
│   ├── JobWithoutTranscriptError   the job failed or was cancelled
│   └── JobNotRetryableError        only failed and cancelled jobs can be retried
├── JobStoreUnavailableError        the store of jobs is unavailable
├── SourceUnavailableError          the place of a recording fails at present
├── RecordingStoreUnavailableError  the store of recordings is unavailable
├── ProcessedEventsUnavailableError the store of processed events is unavailable
├── UnreadableMessageError          a message holds no event that this version of a consumer can read
├── HandlerError                    the handler failed; the event is delivered again
├── PayloadStoreError               the store of large transcripts is unavailable
├── ArchiveError                    an archive of dead letters cannot be written or read
└── InfrastructureError             queue, rule or bus cannot be read or changed
    ├── CredentialsRefusedError     AWS refuses the credentials for every call
    └── DeletionError               some messages are still in their queue
"""


class TranscriptionServiceError(Exception):
    """Base class of every error this service raises deliberately; its message may be shown to a caller."""


class ConfigurationError(TranscriptionServiceError):
    """A setting is invalid. The message names the variable, its value and the values allowed."""


class InvalidIdentityError(TranscriptionServiceError):
    """An identity header is too long, unprintable or given twice. The message names the header."""


class UnauthenticatedError(TranscriptionServiceError):
    """The request has no credentials, or they are malformed, unknown, expired or revoked."""

    def __init__(self, message: str, *, has_credentials: bool = True) -> None:
        super().__init__(message)
        self.has_credentials = has_credentials  # False: the answer names no error code (RFC 6750, 3.1)


class AccessDeniedError(TranscriptionServiceError):
    """The caller is known and may not do this, or the request contradicts its credentials."""


class InsufficientScopeError(AccessDeniedError):
    """The credentials lack the scope of the route. The message names it."""

    def __init__(self, message: str, *, scope: str) -> None:
        super().__init__(message)
        self.scope = scope  # that is missing


class UnknownTenantError(AccessDeniedError):
    """The credentials name no tenant, or one that is no UUID v4 and so can own no transcript."""


class UntrustedPeerError(AccessDeniedError):
    """The request names its caller in headers, and does not come from a listed proxy."""


class AuthenticatorUnavailableError(TranscriptionServiceError):
    """Credentials cannot be examined at present: the database or the issuer's keys cannot be reached."""


class ApiKeyError(TranscriptionServiceError):
    """No API key has the id, or its state does not allow what an operator asks for."""


class RecordingError(TranscriptionServiceError):
    """The uploaded recording cannot be processed."""


class MissingRecordingError(RecordingError):
    """The request holds no recording."""


class EmptyRecordingError(RecordingError):
    """The recording is empty."""


class RecordingTooLargeError(RecordingError):
    """The recording has more bytes than allowed."""


class NotAudioError(RecordingError):
    """The upload is no recording, or has no sound track. The message says what it is, if that is known."""


class UnsupportedFormatError(RecordingError):
    """The upload is sound in a format or codec that is not accepted. The message says in which."""


class UndecodableAudioError(RecordingError):
    """The format is known, but its sound cannot be decoded to the end."""


class AudioTooLongError(RecordingError):
    """The recording plays longer, or decodes to more sound, than allowed."""


class SourceRefusedError(RecordingError):
    """The URL names a place from which recordings are not fetched, or the place refuses the recording."""


class RecordingGoneError(RecordingError):
    """The recording of a job is not stored any more."""


class UnsupportedOptionError(RecordingError):
    """The engine cannot transcribe as asked: it does not know the language, or takes no vocabulary."""


class TranscriptionError(TranscriptionServiceError):
    """The transcription failed; the recording may be valid."""


class TranscriberBusyError(TranscriptionError):
    """All transcription slots and places in the waiting room are taken."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds  # time until a slot is likely to be free again


class TranscriberCrashedError(TranscriptionError):
    """The worker process of this recording died; no other recording is affected."""


class TranscriberStalledError(TranscriptionError):
    """The transcription made no progress for too long and was ended."""


class TranscriptionTooCostlyError(TranscriptionError):
    """The transcription took more processor time than a second of sound may cost, and was ended."""


class TranscriptionFailedError(TranscriptionError):
    """A service on the network refused the recording, or failed at it; the message says why."""


class TranscriberUnavailableError(TranscriptionError):
    """The engine could not be started, or a service on the network does not answer or refuses every call."""


class EventPublishError(TranscriptionServiceError):
    """The transport did not accept an event."""


class EventRejectedError(EventPublishError):
    """The transport will never accept this event; do not retry."""


class EventBusUnavailableError(EventPublishError):
    """The transport is unavailable, at present or with this configuration; a retry may succeed."""

    retry_after_seconds = 0.0  # for which the transport asks to wait, at most `MAX_WAIT_SECONDS`; 0 for none


class EventTooLargeError(EventRejectedError):
    """The event has more bytes than the transport allows."""


class InteractionIdTakenError(EventRejectedError):
    """Another event has the same interaction id, or the interaction was erased: consumers would drop this."""

    def __init__(self, interaction_id: object) -> None:
        super().__init__(f"another event has the interaction id {interaction_id}, or it was erased")


class EventBusRefusesUsError(EventBusUnavailableError):
    """The transport refuses every event: permissions, credentials or account are wrong."""


class OutboxUnavailableError(TranscriptionServiceError):
    """The outbox is unreachable, full or failing; the event may not be recorded."""


class IdempotencyError(TranscriptionServiceError):
    """A request with an idempotency key cannot be processed."""


class IdempotencyConflictError(IdempotencyError):
    """The key was used before, with another recording."""


class IdempotencyInProgressError(IdempotencyError):
    """The first request with this key is still in progress."""


class IdempotencyUnavailableError(IdempotencyError):
    """The store of keys is unreachable, full or failing."""


class JobError(TranscriptionServiceError):
    """A job does not exist, or its state does not allow what a caller asks for."""


class JobNotFoundError(JobError):
    """No job of this tenant has the id; the message is the same for another tenant's job."""


class JobUnfinishedError(JobError):
    """The job has not ended, so there is no transcript yet."""


class JobWithoutTranscriptError(JobError):
    """The job failed or was cancelled, so there is no transcript."""


class JobNotRetryableError(JobError):
    """The job has not failed, or its recording is not stored any more."""


class JobStoreUnavailableError(TranscriptionServiceError):
    """The store of jobs is unreachable, full or failing; nothing may have been recorded."""


class SourceUnavailableError(TranscriptionServiceError):
    """The place from which a recording is fetched fails at present; a retry may succeed."""


class RecordingStoreUnavailableError(TranscriptionServiceError):
    """Recordings cannot be stored or read at present; a retry may succeed."""


class ProcessedEventsUnavailableError(TranscriptionServiceError):
    """The store of processed events is unreachable, full or failing."""


class UnreadableMessageError(TranscriptionServiceError):
    """A message holds no event of ours, or one of another version. The text names the fault and its place."""


class HandlerError(TranscriptionServiceError):
    """The handler failed to process an event, which is delivered again."""


class PayloadStoreError(TranscriptionServiceError):
    """Large transcripts cannot be stored or read at present; a retry may succeed."""


class ArchiveError(TranscriptionServiceError):
    """A dead letter cannot be archived, or an archived one cannot be read. The message names it."""


class InfrastructureError(TranscriptionServiceError):
    """A queue, rule or bus cannot be read or changed. The message names it and the remedy."""


class CredentialsRefusedError(InfrastructureError):
    """The credentials are refused or cannot be read, as opposed to a permission that they lack."""


class DeletionError(InfrastructureError):
    """Received messages could not be deleted and will be received again."""

    def __init__(self, message: str, *, count: int) -> None:
        super().__init__(message)
        self.count = count  # number of messages not deleted
