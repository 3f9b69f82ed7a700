"""Reading: one recording from its bytes to units of speech, voice after voice, in constant memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.speech.cutting.units import speech_units
from adapters.speech.cutting.voice_activity import AllIsSpeech, VoiceActivity
from adapters.speech.decoding.decoder import decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.decoding.voices import Voice, find_voices
from adapters.speech.sound.measured import MeasuredSound
from domain.model.speech import SPEECH_THRESHOLD, SpeechUnit
from domain.model.transcripts import DEFAULT_OPTIONS, Tracks, TranscriptionOptions
from ports.speech_source_port import SoundSummary
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:
    from domain.model.result_warnings import ResultWarning


class RecordingReader:
    """Reads one recording at a time, in the calling thread."""

    def __init__(self, threshold: float | None = SPEECH_THRESHOLD) -> None:  # None: all sound is speech
        self._activity = AllIsSpeech() if threshold is None else VoiceActivity()
        self._threshold = threshold or 0.0

    def read(
        self,
        recording: Path,
        limits: DecodingLimits,
        on_progress: ProgressListener,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
    ) -> Iterator[SpeechUnit | SoundSummary]:
        """Yield the units of the chosen voices, one voice after another, and last the summary.

        The recording is recognised by its content. Progress is reported with each second of sound; without a
        length it tells the sound that was looked through to choose the voices, with one it adds up all voices
        and never falls.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
        """
        voices, warnings = find_voices(recording, limits, on_progress, options)
        found: list[ResultWarning] = list(warnings)
        heard: list[MeasuredSound] = []
        listen = _VoicesProgress(on_progress)
        for number, voice in enumerate(voices):
            listen.begin(sum(sound.seconds for sound in heard), len(voices) - number)
            blocks = decode(recording, limits, listen, found.append, track=voice.track, channel=voice.channel)
            heard.append(MeasuredSound(blocks))
            for unit in speech_units(self._activity.frames(heard[-1]), self._threshold):
                yield _numbered(unit, voice, options)
        yield SoundSummary(
            duration_seconds=max(sound.seconds for sound in heard),
            is_audible=any(sound.is_audible for sound in heard),
            warnings=tuple(dict.fromkeys(found)),
        )


class _VoicesProgress:
    """Adds up the progress of voices that are read one after another."""

    def __init__(self, on_progress: ProgressListener) -> None:
        self._on_progress = on_progress
        self._latest = Progress(0.0, None)
        self._before = 0.0
        self._left = 1

    def begin(self, before: float, left: int) -> None:
        """Note the seconds of the voices that have been read, and the number of the others."""
        self._before, self._left = before, left

    def __call__(self, progress: Progress) -> None:
        """Report the progress of the present voice; the others are expected to be as long."""
        if progress.total_seconds is not None:
            done = max(self._latest.done_seconds, self._before + progress.done_seconds)
            self._latest = Progress(done, self._before + self._left * progress.total_seconds)
        self._on_progress(self._latest)


def _numbered(unit: SpeechUnit, voice: Voice, options: TranscriptionOptions) -> SpeechUnit:
    """Add the numbers of track and channel, from 1, where the caller asked for them."""
    track = voice.track + 1 if options.tracks is Tracks.ALL else None
    channel = None if voice.channel is None else voice.channel + 1
    return replace(unit, track=track, channel=channel)
