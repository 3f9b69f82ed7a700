"""The error tree of the service.

    TranscriptionServiceError
    ├── ConfigurationError              a variable has a wrong value; the start stops
    ├── InvalidIdentityError            an identity header cannot be used
    ├── RecordingError                  the upload is at fault
    │   ├── MissingRecordingError
    │   ├── EmptyRecordingError
    │   ├── RecordingTooLargeError
    │   ├── NotAudioError
    │   ├── UndecodableAudioError
    │   └── AudioTooLongError
    ├── TranscriptionError              the engine is at fault
    │   ├── TranscriberBusyError        retry later
    │   ├── TranscriberCrashedError
    │   ├── TranscriberStalledError
    │   └── TranscriberUnavailableError
    ├── EventPublishError               the event did not leave
    │   ├── EventRejectedError          do not retry: this event is at fault
    │   │   └── EventTooLargeError      unless its texts travel another way
    │   └── EventBusUnavailableError    retry: the bus, the network or the credentials are at fault
    │       └── EventBusRefusesUsError  no event will be accepted until somebody mends the configuration
    ├── OutboxUnavailableError          the store of events cannot be had; nothing is known to be recorded
    ├── IdempotencyError                this request cannot be told from a repeated one, or must not be one
    │   ├── IdempotencyConflictError    the key belongs to another recording
    │   ├── IdempotencyInProgressError  retry later
    │   └── IdempotencyUnavailableError the store of keys cannot be had
    ├── ProcessedEventsUnavailableError the memory of what was worked off cannot be had
    ├── UnreadableMessageError          a message holds no event that this version of a consumer can read
    ├── HandlerError                    an event was received, but not worked off; it comes again
    ├── PayloadStoreError               the store of large transcripts cannot be had
    ├── ArchiveError                    an archive of dead letters cannot be written or read
    └── InfrastructureError             queue, rule or bus cannot be read or changed
        └── DeletionError               some messages are still in their queue

Whether to retry is in the type, never in a message.
"""


class TranscriptionServiceError(Exception):
    """The root of every error this service raises on purpose; its message is fit for a caller to read."""


class ConfigurationError(TranscriptionServiceError):
    """A setting is wrong. The message names the variable, what it holds and what it may hold."""


class InvalidIdentityError(TranscriptionServiceError):
    """An identity header is too long, unprintable or given twice. The message names the header."""


class RecordingError(TranscriptionServiceError):
    """The recording that was handed in cannot be used as it is."""


class MissingRecordingError(RecordingError):
    """The request holds no recording."""


class EmptyRecordingError(RecordingError):
    """The recording has no bytes."""


class RecordingTooLargeError(RecordingError):
    """The recording has more bytes than are accepted."""


class NotAudioError(RecordingError):
    """The bytes are no recording in a supported format, or hold no sound track."""


class UndecodableAudioError(RecordingError):
    """The format is known, but its sound cannot be decoded to the end."""


class AudioTooLongError(RecordingError):
    """The recording plays longer, or decodes to more sound, than is accepted."""


class TranscriptionError(TranscriptionServiceError):
    """The recording may be fine, but it could not be transcribed."""


class TranscriberBusyError(TranscriptionError):
    """Every transcription slot and the waiting room are taken.

    Attributes:
        retry_after_seconds: when a slot is likely to be free again.
    """

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TranscriberCrashedError(TranscriptionError):
    """The process that worked on this recording died; no other recording is affected."""


class TranscriberStalledError(TranscriptionError):
    """No progress was made for too long, and the work on this recording was ended."""


class TranscriberUnavailableError(TranscriptionError):
    """The engine could not be started."""


class EventPublishError(TranscriptionServiceError):
    """An event was not accepted by the transport."""


class EventRejectedError(EventPublishError):
    """The transport will never accept this event; sending it again is pointless."""


class EventBusUnavailableError(EventPublishError):
    """The transport cannot be reached, or not now, or not with this configuration; sending again may help."""


class EventTooLargeError(EventRejectedError):
    """The event has more bytes than the transport takes."""


class EventBusRefusesUsError(EventBusUnavailableError):
    """The transport refuses whoever sends: permissions, credentials or account are wrong for every event."""


class OutboxUnavailableError(TranscriptionServiceError):
    """The outbox cannot be reached, is full, or fails. Nothing is known to have been recorded."""


class IdempotencyError(TranscriptionServiceError):
    """A request with an idempotency key cannot go on."""


class IdempotencyConflictError(IdempotencyError):
    """The key came before, with another recording."""


class IdempotencyInProgressError(IdempotencyError):
    """The first request with this key is not answered yet."""


class IdempotencyUnavailableError(IdempotencyError):
    """The store of keys cannot be reached, is full, or fails."""


class ProcessedEventsUnavailableError(TranscriptionServiceError):
    """The memory of what consumers have worked off cannot be reached, is full, or fails."""


class UnreadableMessageError(TranscriptionServiceError):
    """A message holds no event of ours, or one of another version. The text says what is wrong, and where."""


class HandlerError(TranscriptionServiceError):
    """An event was handed to whoever works it off, and was not. It may be handed over again."""


class PayloadStoreError(TranscriptionServiceError):
    """Large transcripts cannot be stored or read now; trying again may help."""


class ArchiveError(TranscriptionServiceError):
    """A dead letter could not be archived, or what is archived cannot be read. The message names it."""


class InfrastructureError(TranscriptionServiceError):
    """A queue, rule or bus could not be read or changed. The message names it and says what to do."""


class DeletionError(InfrastructureError):
    """Messages that were received could not be deleted, and will be received again.

    Attributes:
        count: how many.
    """

    def __init__(self, message: str, *, count: int) -> None:
        super().__init__(message)
        self.count = count
