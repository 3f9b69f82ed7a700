"""Speech recognition with pocketsphinx 5 and the US English model of its wheel: offline, without keys."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pocketsphinx import Decoder

from adapters.speech.decoding.decoder import BYTES_PER_SAMPLE, SAMPLE_RATE, decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.engine import SpeechEngine
from adapters.speech.engines.segmentation import Utterance, utterances
from domain.model.transcripts import Segment, Transcript
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:
    from domain.model.result_warnings import ResultWarning

DECODER_SETTINGS = {"lw": 4.5, "maxhmmpf": 3_000, "maxwpf": 20, "loglevel": "FATAL"}
"""Language weight with the lowest word error rate (`benchmarks/word_error_rate.py`); silent.

Models and words that are followed in a frame: clear speech needs no more of them, and noise, in which all are
equally likely, costs half as much as with 10,000 models and any number of words.
"""

MAX_GAIN = 30.0
"""Makes a whisper as loud as speech; sound that needs more is noise."""

_FULL_SCALE = 32_767
_ALTERNATIVE = re.compile(r"\(\d+\)$")  # "the(2)" is another pronunciation of "the"
_SILENCES = frozenset({"<s>", "</s>", "<sil>"})


class PocketsphinxEngine(SpeechEngine):
    """Recognises US English, without punctuation and in lower case."""

    def __init__(self) -> None:
        self._decoder = Decoder(**DECODER_SETTINGS)

    def transcribe(
        self, recording: Path, limits: DecodingLimits, on_progress: ProgressListener, /
    ) -> Transcript:
        """Transcribe utterance by utterance; silence, or an utterance without words, gives no segment."""
        warnings: list[ResultWarning] = []
        sound = _Measured(decode(recording, limits, on_progress, warnings.append))
        segments = tuple(self._segments(utterances(sound)))
        on_progress(Progress(sound.seconds, sound.seconds))
        return Transcript(duration_seconds=sound.seconds, segments=segments, warnings=tuple(warnings))

    def _segments(self, heard: Iterable[Utterance]) -> Iterator[Segment]:
        for utterance in heard:
            text = self._recognised(louder(utterance.samples))
            if text:
                yield Segment(start=utterance.start, end=utterance.end, text=text)

    def _recognised(self, samples: bytes) -> str:
        self._decoder.reinit_feat()  # resets the adaptation to earlier voices, which would change the result
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()
        # Read now: the decoder's next utterance frees the memory of this iterator.
        words = [part.word for part in self._decoder.seg() or ()]
        return " ".join(_ALTERNATIVE.sub("", word) for word in words if word not in _SILENCES)


def louder(samples: bytes) -> bytes:
    """Bring the loudest sample to full scale, at most `MAX_GAIN` times louder."""
    signal = np.frombuffer(samples, np.int16).astype(np.float64)
    peak = float(np.abs(signal).max(initial=1.0))
    return (
        (signal * min(MAX_GAIN, _FULL_SCALE / peak))
        .clip(-_FULL_SCALE, _FULL_SCALE)
        .astype(np.int16)
        .tobytes()
    )


class _Measured:
    """Passes blocks on, and measures their total length."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._size += len(block)
            yield block

    @property
    def seconds(self) -> float:
        return self._size / BYTES_PER_SAMPLE / SAMPLE_RATE
