"""Pocketsphinx used as in its documentation: its segmenter, its default settings, no code of ours."""

import io
from pathlib import Path

from pocketsphinx import Decoder, Segmenter

from adapters.speech.decoding.decoder import BYTES_PER_SAMPLE, SAMPLE_RATE, decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.engine import SpeechEngine
from domain.model.transcripts import Segment, Transcript
from ports.transcriber_port import ProgressListener


class LibraryEngine(SpeechEngine):
    """Engine that decodes with our decoder, then follows the library's example."""

    def __init__(self) -> None:
        self._decoder = Decoder(loglevel="FATAL")

    def transcribe(
        self, recording: Path, limits: DecodingLimits, on_progress: ProgressListener, /
    ) -> Transcript:
        """Recognise segment by segment."""
        sound = b"".join(decode(recording, limits, on_progress))
        texts = (self._recognised(each.pcm) for each in Segmenter().segment(io.BytesIO(sound)))
        segments = tuple(Segment(start=0, end=0, text=text) for text in texts if text)
        return Transcript(duration_seconds=len(sound) / BYTES_PER_SAMPLE / SAMPLE_RATE, segments=segments)

    def _recognised(self, samples: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""
