"""Base of speech engines: plain and synchronous, as the worker processes run them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from adapters.speech.decoding.decoder import decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.decoding.voices import Voice, find_voices
from adapters.speech.sound.measured import MeasuredSound
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import DEFAULT_OPTIONS, Segment, Tracks, Transcript, TranscriptionOptions
from ports.transcriber_port import Progress, ProgressListener

NO_WORDS = ResultWarning(
    code=WarningCode.NO_WORDS_HEARD, detail="The recording has sound, but no words were recognised in it."
)


class SpeechEngine(ABC):
    """Transcribes one recording at a time, in the calling thread.

    The same recording gives the same transcript, independent of earlier ones.
    """

    @abstractmethod
    def recognise(self, sound: Iterable[bytes], /) -> Iterator[Segment]:
        """Read the sound of one voice to its end, and yield its words in order, without overlap.

        The blocks are what `sound.preparation` makes of a recording: signed 16-bit mono samples at
        `SAMPLE_RATE`, of one loudness. An engine's marks of noise are no words.
        """
        ...

    def transcribe(
        self,
        recording: Path,
        limits: DecodingLimits,
        on_progress: ProgressListener,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
    ) -> Transcript:
        """Transcribe the chosen voices of `recording`, which is recognised by its content, one after another.

        Progress is reported with each second of sound; the last call reports completion.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
        """
        voices, warnings = find_voices(recording, limits, on_progress, options)
        heard: list[MeasuredSound] = []
        segments: list[Segment] = []
        found = list(warnings)
        for number, voice in enumerate(voices):
            listen = _adding(on_progress, number, len(voices))
            blocks = decode(recording, limits, listen, found.append, track=voice.track, channel=voice.channel)
            heard.append(MeasuredSound(blocks))
            segments += (_numbered(segment, voice, options) for segment in self.recognise(heard[-1]))
        if not segments and any(sound.is_audible for sound in heard):
            found.append(NO_WORDS)
        done = sum(sound.seconds for sound in heard)
        on_progress(Progress(done, done))
        return Transcript(
            duration_seconds=max(sound.seconds for sound in heard),
            segments=tuple(sorted(segments, key=attrgetter("start"))),
            warnings=tuple(dict.fromkeys(found)),
        )


def _adding(on_progress: ProgressListener, number: int, count: int) -> ProgressListener:
    """Listen to the progress of one of several voices, and add the sound of those before and after it."""

    def listen(progress: Progress) -> None:
        total = progress.total_seconds
        if total is None:
            on_progress(progress)
        else:
            on_progress(Progress(number * total + progress.done_seconds, count * total))

    return listen


def _numbered(segment: Segment, voice: Voice, options: TranscriptionOptions) -> Segment:
    """Add the numbers of track and channel, from 1, where the caller asked for them."""
    track = voice.track + 1 if options.tracks is Tracks.ALL else None
    channel = None if voice.channel is None else voice.channel + 1
    return segment.model_copy(update={"track": track, "channel": channel})
