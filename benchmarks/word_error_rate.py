"""Word error rate of the speech engine on recordings with known words.

The folder that `SAMPLES` names (by default the recording that is shipped) holds recordings and
`references.json`: file name -> text, kind. Both texts are compared in lower case, without punctuation and
noise tags, and with "mister" spelt as the engine spells it. The rates are the same in every run; the
real-time factor (seconds of one core for a second of sound, decoding included) is this machine's.
"""

import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jiwer

from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.engine import SpeechEngine
from adapters.speech.engines.loading import load_engine
from benchmarks.library_engine import LibraryEngine
from benchmarks.report import Report, Table

SHIPPED = Path(__file__).resolve().parents[1] / "entrypoints" / "cli" / "recordings"

_TAGS = re.compile(r"\[[^\]]*\]|<[^>]*>|\+\+[^+]*\+\+")
_NO_LETTERS = re.compile(r"[^a-z0-9' ]+")
_SPELLINGS = {"mister": "mr"}


class Score(NamedTuple):
    """Result of one recording, or of several of a kind."""

    kind: str
    words: int
    errors: int
    audio_seconds: float
    cpu_seconds: float


def measure() -> Report:
    """Transcribe every recording of `references.json`, and compare with the library's own example."""
    folder = Path(os.environ.get("SAMPLES") or SHIPPED)
    references: dict[str, dict[str, str]] = json.loads((folder / "references.json").read_text())
    engines = {
        "pocketsphinx, ours": load_engine("pocketsphinx"),
        "the library's own example": LibraryEngine(),
    }
    tables = tuple(_table(name, _scores(engine, folder, references)) for name, engine in engines.items())
    whose = "the recording that is shipped" if folder == SHIPPED else f"{len(references)} recordings"
    return Report((f"On {whose}. `canned` does not listen, and has no rate.",), tables)


def _scores(engine: SpeechEngine, folder: Path, references: Mapping[str, Mapping[str, str]]) -> list[Score]:
    return [
        _score(engine, folder / name, reference["kind"], normalised(reference["text"]))
        for name, reference in sorted(references.items())
    ]


def _table(engine: str, scores: Sequence[Score]) -> Table:
    kinds = sorted({score.kind for score in scores})
    totals = [_total([score for score in scores if score.kind == kind], kind) for kind in kinds]
    rows = tuple(_row(score) for score in (*totals, _total(scores, "all")))
    return Table((engine, "words", "errors", "word error rate", "real-time factor"), rows)


def normalised(text: str) -> str:
    """Normalise a text, so that two texts with the same words are equal."""
    plain = _NO_LETTERS.sub(" ", _TAGS.sub(" ", text.lower()))
    return " ".join(_SPELLINGS.get(word, word) for word in plain.split())


def _score(engine: SpeechEngine, recording: Path, kind: str, reference: str) -> Score:
    started = time.process_time()
    transcript = engine.transcribe(recording, DecodingLimits(), lambda _: None)
    cpu_seconds = time.process_time() - started
    counted = jiwer.process_words(reference, normalised(transcript.text))
    errors = counted.substitutions + counted.deletions + counted.insertions
    return Score(kind, len(reference.split()), errors, transcript.duration_seconds, cpu_seconds)


def _total(scores: Iterable[Score], kind: str) -> Score:
    words, errors, audio, cpu = map(sum, zip(*(score[1:] for score in scores), strict=True))
    return Score(kind, words, errors, audio, cpu)


def _row(score: Score) -> tuple[str, ...]:
    rate, factor = score.errors / max(score.words, 1), score.cpu_seconds / score.audio_seconds
    return (score.kind, str(score.words), str(score.errors), f"{rate:.1%}", f"{factor:.2f}")
