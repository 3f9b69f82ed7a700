"""Speech recognition with pocketsphinx 5 and the US English model of its wheel: offline, without keys."""

import re
from collections.abc import Iterable, Iterator

import numpy as np
from pocketsphinx import Decoder

from adapters.speech.engines.engine import SpeechEngine
from adapters.speech.engines.segmentation import utterances
from adapters.speech.sound.blocks import BYTES_PER_SAMPLE, SAMPLE_RATE
from domain.model.transcripts import Segment

DECODER_SETTINGS = {"lw": 4.5, "maxhmmpf": 3_000, "maxwpf": 20, "loglevel": "FATAL"}
"""Language weight with the lowest word error rate (`benchmarks/word_error_rate.py`); silent.

Models and words that are followed in a frame: clear speech needs no more of them, and noise, in which all are
equally likely, costs half as much as with 10,000 models and any number of words.
"""

MAX_GAIN = 30.0
"""Makes a whisper as loud as speech; sound that needs more is noise."""

SHORT_SECONDS = 1.0
"""An utterance below, such as a single word at the edge of a recording, is surrounded by silence."""

_SILENCE = bytes(SAMPLE_RATE // 10 * BYTES_PER_SAMPLE)
_FULL_SCALE = 32_767
_ALTERNATIVE = re.compile(r"\(\d+\)$")  # "the(2)" is another pronunciation of "the"
_MARK = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")  # "<sil>", "[NOISE]", "[SPEECH]", "++COUGH++"


class PocketsphinxEngine(SpeechEngine):
    """Recognises US English, without punctuation and in lower case."""

    def __init__(self) -> None:
        self._decoder = Decoder(**DECODER_SETTINGS)

    def recognise(self, sound: Iterable[bytes], /) -> Iterator[Segment]:
        """Transcribe utterance by utterance; silence, or an utterance without words, gives no segment."""
        for utterance in utterances(sound):
            text = self._recognised(_surrounded(louder(utterance.samples)))
            if text:
                yield Segment(start=utterance.start, end=utterance.end, text=text)

    def _recognised(self, samples: bytes) -> str:
        self._decoder.reinit_feat()  # resets the adaptation to earlier voices, which would change the result
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()
        # Read now: the decoder's next utterance frees the memory of this iterator.
        words = [part.word for part in self._decoder.seg() or ()]
        return " ".join(_ALTERNATIVE.sub("", word) for word in words if not _MARK.fullmatch(word))


def _surrounded(samples: bytes) -> bytes:
    is_short = len(samples) < SHORT_SECONDS * SAMPLE_RATE * BYTES_PER_SAMPLE
    return _SILENCE + samples + _SILENCE if is_short else samples


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
