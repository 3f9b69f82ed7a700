"""The transcriber on Amazon Transcribe, whose readers are processes of this machine."""

from adapters.aws.transcribe.api import TranscribeApi
from adapters.aws.transcribe.languages import CODES
from adapters.aws.transcribe.transcriber import AmazonTranscribeOptions, AmazonTranscribeTranscriber
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.supervision import SupervisedWorkers
from bootstrap.aws.clients import AwsAccess, sound_client, transcribe_client
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError


class AmazonTranscriber(AmazonTranscribeTranscriber):
    """Transcriber that reads recordings in processes of this machine, and sends their sound to Amazon."""

    def __init__(self, settings: Settings, readers: SupervisedWorkers, api: TranscribeApi) -> None:
        super().__init__(
            WorkerSpeechSource(readers, max_audio_seconds=settings.max_audio_seconds),
            api,
            AmazonTranscribeOptions(
                places=settings.transcriber_workers,
                waiting_room=settings.waiting_room,
                folder=settings.spool_dir.absolute(),
                language=settings.transcriber_language,
                max_speakers=settings.transcribe_speakers or None,
            ),
        )
        self.readers = readers
        self.pools = (readers,)  # worker processes of this machine

    async def start(self) -> None:
        """Start the processes, without waiting until they are ready; recordings may arrive before."""
        await self.readers.start()

    async def stop(self) -> None:
        """Kill the processes, and delete jobs that are not needed any more; recordings in progress fail."""
        await self.readers.stop()
        await self.close()


def amazon_transcriber(settings: Settings, readers: SupervisedWorkers) -> AmazonTranscriber:
    """Build the transcriber, without starting it.

    Raises:
        ConfigurationError: there is no bucket, or Amazon Transcribe does not know the language.
    """
    language = settings.transcriber_language
    if language is not None and language not in CODES:
        known = ", ".join(sorted(CODES))
        raise ConfigurationError(
            f"TRANSCRIBER_LANGUAGE={language!r}: Amazon Transcribe does not know it, but {known}"
        )
    access = AwsAccess(settings.aws_region, settings.aws_endpoint_url)
    return AmazonTranscriber(settings, readers, transcribe_api(settings, access))


def transcribe_api(settings: Settings, access: AwsAccess) -> TranscribeApi:
    """Build the calls of Amazon Transcribe.

    Raises:
        ConfigurationError: there is no bucket.
    """
    if settings.transcribe_bucket is None:
        raise ConfigurationError(
            "TRANSCRIBER=amazon-transcribe needs TRANSCRIBE_BUCKET: a bucket of yours in "
            f"{settings.aws_region}, for sound and output while a job runs."
        )
    return TranscribeApi(transcribe_client(access), sound_client(access), bucket=settings.transcribe_bucket)
