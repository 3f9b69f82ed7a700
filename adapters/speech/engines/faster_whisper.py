"""Speech recognition with Whisper's models, through faster-whisper and CTranslate2: offline, without keys."""

import ctypes
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.transcribe import Segment, TranscriptionInfo

from adapters.speech.engines.engine import SpeechEngine
from domain.model.engines import EngineDescription
from domain.model.speech import HeardSegment, HeardUnit, HeardWord
from ports.recogniser_port import Hints

_FULL_SCALE = 2.0**15

SETTINGS: Mapping[str, object] = {
    "beam_size": 2,  # nearly as few wrong words as 5, for half the processor time
    "temperature": 0.0,  # higher ones choose words at random: the same unit would not give the same words
    "condition_on_previous_text": False,  # one loop would follow another
    "vad_filter": False,  # the unit is speech
    "word_timestamps": True,
    "no_speech_threshold": None,  # likewise; a unit without words is recognised again
}
"""Settings of the first try (docs/engines.md)."""

SETTINGS_AGAIN: Mapping[str, object] = {
    **SETTINGS,
    "beam_size": 5,
    "no_repeat_ngram_size": 4,  # no loops
    "word_timestamps": False,  # their alignment is one of the things that fail
}
"""Settings of the second try: slower, and without what makes the first one fail."""


class FasterWhisperEngine(SpeechEngine):
    """Recognises the languages of its model, with punctuation and case; words with times and confidence."""

    def __init__(
        self,
        folder: Path,  # the model's files
        model: str,  # its name, as in TRANSCRIBER_MODEL
        *,
        device: str = "cpu",
        compute_type: str = "default",
        threads: int = 1,
    ) -> None:
        if device == "cuda":
            _load_nvidia_libraries()
        self._model = WhisperModel(
            str(folder), device=device, compute_type=compute_type, cpu_threads=threads, local_files_only=True
        )
        languages = frozenset(self._model.supported_languages)
        self._description = EngineDescription(
            name="faster-whisper",
            model=model,
            languages=languages,
            finds_language=len(languages) > 1,
            takes_vocabulary=True,
            times_words=True,
        )

    @property
    def description(self) -> EngineDescription:
        """Name, model and capabilities."""
        return self._description

    def recognise(self, samples: bytes, hints: Hints, /, *, again: bool = False) -> HeardUnit:
        """Recognise one unit; the model finds the language where no hint names it."""
        sound = np.frombuffer(samples, "<i2").astype(np.float32) / _FULL_SCALE
        settings = SETTINGS_AGAIN if again else SETTINGS
        words = " ".join(hints.vocabulary) or None
        segments, info = self._model.transcribe(sound, language=hints.language, hotwords=words, **settings)
        return _heard(segments, info)


def _load_nvidia_libraries() -> None:
    """Load the libraries of the packages in requirements-cuda.txt, where CTranslate2 does not look for them.

    Without these packages the system's own libraries count.
    """
    package = find_spec("nvidia")
    for place in package.submodule_search_locations or () if package else ():
        for file in sorted(Path(place).glob("c*/lib/lib*.so.*")):  # cublas, cudnn
            ctypes.CDLL(str(file), ctypes.RTLD_GLOBAL)


def _heard(segments: Iterable[Segment], info: TranscriptionInfo) -> HeardUnit:
    return HeardUnit(
        segments=tuple(_segments(segments)),
        language=info.language,
        language_probability=float(info.language_probability),
    )


def _segments(segments: Iterable[Segment]) -> Iterator[HeardSegment]:
    for segment in segments:
        words = tuple(
            HeardWord(
                start=float(word.start),
                end=float(word.end),
                text=word.word.strip(),
                confidence=float(word.probability),
            )
            for word in segment.words or ()
        )
        yield HeardSegment(
            start=float(segment.start), end=float(segment.end), text=segment.text.strip(), words=words
        )
