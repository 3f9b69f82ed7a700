"""Pocketsphinx used as in its documentation: its segmenter, its default settings, no code of ours."""

import io
from collections.abc import Iterable, Iterator

from pocketsphinx import Decoder, Segmenter

from adapters.speech.engines.engine import SpeechEngine
from domain.model.transcripts import Segment


class LibraryEngine(SpeechEngine):
    """Engine that hears what ours hears, then follows the library's example."""

    def __init__(self) -> None:
        self._decoder = Decoder(loglevel="FATAL")

    def recognise(self, sound: Iterable[bytes], /) -> Iterator[Segment]:
        """Recognise segment by segment."""
        stream = io.BytesIO(b"".join(sound))
        texts = (self._recognised(each.pcm) for each in Segmenter().segment(stream))
        return (Segment(start=0, end=0, text=text) for text in texts if text)

    def _recognised(self, samples: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""
