"""The transcriber, without the container: its workers load while the service imports the rest."""

from typing import TYPE_CHECKING

from adapters.speech.engines.loading import EngineSettings
from adapters.speech.engines.models import find_or_fetch_model
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from adapters.speech.workers.program import Program
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.recognisers import WorkerRecogniser
from adapters.speech.workers.supervision import SupervisedWorkers
from bootstrap.capacity import worker_count
from bootstrap.choices import ComputeType, Device, Transcriber
from bootstrap.extras import require
from bootstrap.factories.openai import openai_recogniser
from bootstrap.factories.tracing import NO_TRACE, traced_recogniser, traced_source
from bootstrap.settings import Settings
from domain.services.transcription.transcriber import UnitTranscriber
from ports.recogniser_port import RecogniserPort
from ports.trace_port import TracePort

if TYPE_CHECKING:
    from adapters.openai.recogniser import OpenAiRecogniser
    from bootstrap.factories.amazon_transcribe import AmazonTranscriber


class _ReadHere(UnitTranscriber):
    """Transcriber whose readers are processes of this machine."""

    def __init__(
        self, settings: Settings, readers: SupervisedWorkers, recogniser: RecogniserPort, trace: TracePort
    ) -> None:
        source = WorkerSpeechSource(readers, max_audio_seconds=settings.max_audio_seconds)
        super().__init__(
            traced_source(source, trace),
            traced_recogniser(recogniser, trace),
            waiting_room=settings.waiting_room,
            language=settings.transcriber_language,
        )
        self.readers = readers

    @property
    def pools(self) -> tuple[SupervisedWorkers, ...]:
        """Worker processes of this machine."""
        return (self.readers,)


class LocalTranscriber(_ReadHere):
    """Transcriber whose readers and recognisers are processes of this machine."""

    def __init__(
        self,
        settings: Settings,
        readers: SupervisedWorkers,
        recognisers: SupervisedWorkers,
        trace: TracePort,
    ) -> None:
        super().__init__(settings, readers, WorkerRecogniser(recognisers), trace)
        self.recognisers = recognisers

    @property
    def pools(self) -> tuple[SupervisedWorkers, ...]:
        """Worker processes of this machine."""
        return self.readers, self.recognisers

    async def start(self) -> None:
        """Start the processes, without waiting until they are ready; recordings may arrive before."""
        await self.recognisers.start()
        await self.readers.start()

    async def stop(self) -> None:
        """Kill all processes, for good; recordings in progress fail."""
        await self.readers.stop()
        await self.recognisers.stop()


class OpenAiTranscriber(_ReadHere):
    """Transcriber whose readers are processes of this machine, and whose recogniser is a service."""

    def __init__(
        self,
        settings: Settings,
        readers: SupervisedWorkers,
        recogniser: "OpenAiRecogniser",
        trace: TracePort,
    ) -> None:
        super().__init__(settings, readers, recogniser, trace)
        self._service = recogniser

    async def start(self) -> None:
        """Start the processes, and ask the service whether it answers, without waiting for either."""
        self._service.start()
        await self.readers.start()

    async def stop(self) -> None:
        """Kill all processes and close all connections, for good; recordings in progress fail."""
        await self.readers.stop()
        await self._service.stop()


def transcriber_for(
    settings: Settings, trace: TracePort = NO_TRACE
) -> "LocalTranscriber | OpenAiTranscriber | AmazonTranscriber":
    """Build the transcriber that the settings describe, without starting it.

    Raises:
        ConfigurationError: the engine is not installed, its model cannot be found, or a setting is missing.
    """
    require("speech", f"TRANSCRIBER={settings.transcriber}")
    if settings.transcriber is Transcriber.AMAZON_TRANSCRIBE:
        from bootstrap.factories.amazon_transcribe import amazon_transcriber  # noqa: PLC0415 - slow to import

        # a recording takes a process only while it is read; its job at Amazon takes no more than a place
        count = min(settings.transcriber_workers, worker_count())
        return amazon_transcriber(settings, _workers(settings, reader_program(settings), count))
    readers = _workers(settings, reader_program(settings), settings.transcriber_workers)
    if settings.transcriber is Transcriber.OPENAI:
        return OpenAiTranscriber(settings, readers, openai_recogniser(settings), trace)
    recognisers = _workers(settings, recogniser_program(settings), settings.transcriber_workers)
    return LocalTranscriber(settings, readers, recognisers, trace)


def _workers(settings: Settings, program: Program, count: int) -> SupervisedWorkers:
    limits = WorkerLimits(stall_seconds=settings.transcriber_stall_seconds)
    return SupervisedWorkers([WorkerProcess(program, limits) for _ in range(count)])


def reader_program(settings: Settings) -> Program:
    """Describe the program that reads recordings.

    Canned text needs no model of voice activity, and Amazon Transcribe takes whole recordings.
    """
    takes_all = settings.transcriber in {Transcriber.CANNED, Transcriber.AMAZON_TRANSCRIBE}
    return Program(threshold=None if takes_all else settings.transcriber_speech_threshold)


def recogniser_program(settings: Settings) -> Program:
    """Describe the program that recognises units.

    Raises:
        ConfigurationError: the model cannot be found.
    """
    if settings.transcriber is Transcriber.CANNED:
        return Program(engine=EngineSettings(name="canned"))
    model = find_or_fetch_model(settings.transcriber_model)
    return Program(
        engine=EngineSettings(
            name=settings.transcriber.value,
            model=model.name,
            folder=model.folder,
            revision=model.revision,
            device=_device(settings.transcriber_device),
            compute_type=_compute_type(settings),
        )
    )


def _device(chosen: Device) -> str:
    return chosen.value if chosen is not Device.AUTO else "cuda" if sees_cuda() else "cpu"


def sees_cuda() -> bool:
    """Check for a GPU that CTranslate2 can use."""
    import ctranslate2  # noqa: PLC0415 - an extra

    return bool(ctranslate2.get_cuda_device_count())


def _compute_type(settings: Settings) -> str:
    if settings.transcriber_compute_type is not ComputeType.DEFAULT:
        return settings.transcriber_compute_type.value
    return "float16" if _device(settings.transcriber_device) == "cuda" else "int8"
