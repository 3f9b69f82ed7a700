"""Word error rate of the speech engine on recordings with known words.

The folder that `SAMPLES` names (by default the recording that is shipped) holds recordings and
`references.json`: file name -> text, kind. Both texts go through Whisper's own English normaliser. The rates
are the same in every run; the real-time factor (seconds of one core for a second of sound, decoding included)
is this machine's.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jiwer
import numpy as np
from faster_whisper import decode_audio
from whisper_normalizer.english import EnglishTextNormalizer

from benchmarks.local_speech import Heard, LocalSpeech, Recognise, whisper_alone, whisper_in_batches
from benchmarks.report import Report, Table, Target
from tests.support.samples.recordings import ENCODINGS, record

SHIPPED = Path(__file__).resolve().parents[1] / "entrypoints" / "cli" / "recordings"
NEAR_SECONDS = 1.0
"""Distance from a cut within which words are counted apart."""
PAUSE_SECONDS = 0.5
"""Silence between the recordings that are joined to a long one."""

normalised = EnglishTextNormalizer()


class Score(NamedTuple):
    """Result of one recording, or of several of a kind."""

    kind: str
    words: int
    errors: int
    audio_seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Return the word error rate."""
        return self.errors / max(self.words, 1)


def measure() -> Report:
    """Transcribe every recording of `references.json` by itself, then all of them as one long recording."""
    folder = Path(os.environ.get("SAMPLES") or SHIPPED)
    references: dict[str, dict[str, str]] = json.loads((folder / "references.json").read_text())
    ours = LocalSpeech()
    engines: Mapping[str, Recognise] = {
        "cut into units (ours)": ours.heard,
        "faster-whisper, called once": whisper_alone(1),
        "faster-whisper in batches": whisper_in_batches(1),
    }
    scores = {name: _scores(engine, folder, references) for name, engine in engines.items()}
    totals = {name: _total(each, "all") for name, each in scores.items()}
    whose = "the recording that is shipped" if folder == SHIPPED else f"{len(references)} recordings"
    long, targets = _long(engines, ours, folder, references)
    return Report(
        (f"On {whose}, with `tiny.en` in int8. `canned` does not listen, and has no rate.",),
        (*(_table(name, each) for name, each in scores.items()), long),
        (Target("word error rate of ours", totals["cut into units (ours)"].rate, at_most=0.15), *targets),
    )


def _scores(engine: Recognise, folder: Path, references: Mapping[str, Mapping[str, str]]) -> list[Score]:
    return [
        _score(engine, folder / name, reference["kind"], reference["text"])
        for name, reference in sorted(references.items())
    ]


def _table(engine: str, scores: Sequence[Score]) -> Table:
    kinds = sorted({score.kind for score in scores})
    totals = [_total([score for score in scores if score.kind == kind], kind) for kind in kinds]
    rows = tuple(_row(score) for score in (*totals, _total(scores, "all")))
    return Table((engine, "words", "errors", "word error rate", "real-time factor"), rows)


def _score(engine: Recognise, recording: Path, kind: str, reference: str) -> Score:
    started = time.process_time()
    heard = engine(recording)
    cpu_seconds = time.process_time() - started
    seconds = len(decode_audio(str(recording))) / 16_000
    return Score(
        kind, len(normalised(reference).split()), _errors(reference, heard.text), seconds, cpu_seconds
    )


def _errors(reference: str, text: str) -> int:
    counted = jiwer.process_words(normalised(reference), normalised(text))
    return counted.substitutions + counted.deletions + counted.insertions


def _total(scores: Iterable[Score], kind: str) -> Score:
    words, errors, audio, cpu = map(sum, zip(*(score[1:] for score in scores), strict=True))
    return Score(kind, words, errors, audio, cpu)


def _row(score: Score) -> tuple[str, ...]:
    factor = score.cpu_seconds / score.audio_seconds
    return (score.kind, str(score.words), str(score.errors), f"{score.rate:.1%}", f"{factor:.2f}")


def _long(
    engines: Mapping[str, Recognise],
    ours: LocalSpeech,
    folder: Path,
    references: Mapping[str, Mapping[str, str]],
) -> tuple[Table, tuple[Target, ...]]:
    """Score all recordings as one, in which cuts fall where they may.

    Digits are left out: the normaliser takes "1-0-0" for three words and "100" for one.
    """
    spoken = sorted(name for name, reference in references.items() if reference["kind"] != "digits")
    reference = " ".join(references[name]["text"] for name in spoken)
    with tempfile.TemporaryDirectory() as name:
        recording = joined([folder / each for each in spoken], Path(name) / "long.flac")
        scores = {name: _score(engine, recording, name, reference) for name, engine in engines.items()}
        near, words_near, cuts = _near_cuts(ours.heard(recording), reference)
    rows = [_row(score) for score in scores.values()]
    rows.append((f"ours, within {NEAR_SECONDS:g} s of {cuts} cuts", str(words_near), str(near), "", ""))
    cut, uncut = list(scores.values())[:2]
    table = Table(
        ("as one, without digits", "words", "errors", "word error rate", "real-time factor"),
        tuple(rows),
    )
    return table, (
        Target("points of word error rate that cutting costs", 100 * (cut.rate - uncut.rate), at_most=1),
    )


def joined(recordings: Iterable[Path], file: Path) -> Path:
    """Join recordings, with a pause between them."""
    pause = np.zeros(int(PAUSE_SECONDS * 16_000), np.int16)
    parts = [(decode_audio(str(each)) * 32_767).astype(np.int16) for each in recordings]
    return record(file, np.concatenate([part for each in parts for part in (each, pause)]), ENCODINGS["flac"])


def _near_cuts(heard: Heard, reference: str) -> tuple[int, int, int]:
    """Count the errors among the words near a cut, those words, and the cuts."""
    words = [(word, timed.at) for timed in heard.words for word in _plain(timed.text)]
    aligned = jiwer.process_words(
        " ".join(_plain(reference)), " ".join(word for word, _ in words)
    ).alignments[0]
    is_near = [any(abs(at - cut) <= NEAR_SECONDS for cut in heard.cuts) for _, at in words]
    errors = 0
    for chunk in aligned:
        if chunk.type != "equal":
            touched = is_near[max(chunk.hyp_start_idx - 1, 0) : chunk.hyp_end_idx + 1]
            size = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
            errors += size if any(touched) else 0
    return errors, sum(is_near), len(heard.cuts)


def _plain(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.lower().replace("'", "")).split()
