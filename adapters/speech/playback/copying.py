"""Making of a playback copy: AAC in MP4, and its peaks, in one pass and constant memory."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame

from adapters.speech.decoding.decoder import BlockDecoder
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.decoding.tracks import open_sound_track
from adapters.speech.decoding.voices import find_voices
from adapters.speech.playback.mono import mono
from adapters.speech.playback.mp4 import IndexFirst
from adapters.speech.playback.peaks import Peaks, Samples
from adapters.speech.playback.pieces import BIT_RATE, CopyPiece, CopySummary
from domain.model.errors import UndecodableAudioError
from domain.model.transcripts import DEFAULT_OPTIONS
from ports.transcriber_port import ProgressListener

RATE = 24_000
"""Hertz; speech has little above half of it."""


def playback_copy(
    recording: Path, limits: DecodingLimits, on_progress: ProgressListener
) -> Iterator[CopyPiece | CopySummary]:
    """Yield the pieces of a copy of the track that is transcribed, and last its length and peaks.

    The copy has the times of the transcript: gaps in the timestamps are silence. A truncated recording is
    copied up to where it ends.

    Raises:
        RecordingError: the recording is at fault (see its subclasses).
    """
    (voice, *_), _ = find_voices(recording, limits, on_progress, DEFAULT_OPTIONS)
    encoder, peaks = _Encoder(), Peaks()
    with open_sound_track(recording, voice.track) as track:
        for block in BlockDecoder(track, limits, on_progress, None, rate=RATE).blocks():
            samples = mono(block)
            peaks.add(samples)
            yield from encoder.encode(samples)
    if not encoder.samples:
        raise UndecodableAudioError("The recording holds no sound that can be decoded.")
    yield from encoder.finish()
    yield CopySummary(encoder.samples / RATE, peaks.pairs())


class _Encoder:
    """Encodes mono samples, and hands out the bytes of the copy."""

    def __init__(self) -> None:
        self.samples = 0
        self._file = IndexFirst()
        self._container = av.open(self._file, "w", format="mp4")
        self._stream = self._container.add_stream("aac", rate=RATE, layout="mono")
        self._stream.bit_rate = BIT_RATE

    def encode(self, samples: Samples) -> Iterator[CopyPiece]:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "fltp", "mono")
        frame.sample_rate, frame.pts = RATE, self.samples
        self.samples += len(samples)
        self._container.mux(self._stream.encode(frame))
        yield from self._file.sound()

    def finish(self) -> Iterator[CopyPiece]:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        yield from self._file.sound()
        yield from self._file.head()
