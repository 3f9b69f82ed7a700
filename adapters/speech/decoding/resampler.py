"""Resampler: decoded frames as blocks of float samples at one rate, all of their channels kept."""

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from adapters.speech.decoding.tracks import BROKEN
from adapters.speech.sound.blocks import BLOCK_SAMPLES, SAMPLE_RATE, Block
from domain.model.errors import UndecodableAudioError

_LOUDEST = 1_000.0  # 60 dB above full scale; a float recording may hold infinity, or no number at all


class Resampler:
    """Resamples frames; where their channels change within the recording, they become those of the first."""

    def __init__(self, rate: int = SAMPLE_RATE) -> None:
        self._rate = rate  # hertz
        self._shape: tuple[int, str, str] | None = None
        self._layout: av.AudioLayout | None = None
        self._resampler = av.AudioResampler()

    @property
    def channels(self) -> int:
        """Return the number of channels of all blocks; 0 before the first frame."""
        return self._layout.nb_channels if self._layout else 0

    def resample(self, frame: AudioFrame) -> Iterator[Block]:
        """Yield what the frame completes.

        Raises:
            UndecodableAudioError: the channels cannot be converted to those of the first frame.
        """
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        if shape != self._shape:
            yield from self.rest()
            self._shape = shape
            self._layout = self._layout or frame.layout
            # interleaved: PyAV reads beyond the planes of a frame with eight of them
            self._resampler = av.AudioResampler("flt", self._layout, self._rate, BLOCK_SAMPLES)
        frame.pts = None  # do not resample gaps in the timestamps
        yield from self._resampled(frame)

    def rest(self) -> Iterator[Block]:
        """Yield the samples that are held back; the next frame begins anew."""
        if self._shape is not None:
            self._shape = None
            yield from self._resampled(None)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Block]:
        try:
            resampled = self._resampler.resample(frame)
        except BROKEN as error:
            raise UndecodableAudioError("The sound has a channel layout that cannot be mixed.") from error
        for piece in resampled:
            if piece.samples:
                yield _bounded(np.asarray(piece.to_ndarray(), np.float32).reshape(piece.samples, -1).T)


def _bounded(samples: Block) -> Block:
    bounded: Block = np.nan_to_num(samples, nan=0.0, posinf=_LOUDEST, neginf=-_LOUDEST)
    return bounded.clip(-_LOUDEST, _LOUDEST)
