"""Word error rate and speed of the speech engine on recordings whose words are known.

    python -m benchmarks.word_error_rate [FOLDER] [--json]

FOLDER (by default the recording that is shipped) holds recordings and `references.json`: file name -> text,
kind. Both texts are compared in lower case, without punctuation and noise tags, and with "mister" spelt as
the engine spells it. The rates are the same in every run; the real-time factor (seconds of one core for a
second of sound, decoding included) is this machine's.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import jiwer

from adapters.speech.engines import SpeechEngine, load_engine
from adapters.speech.limits import DecodingLimits

DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "entrypoints" / "cli" / "recordings"

_TAGS = re.compile(r"\[[^\]]*\]|<[^>]*>|\+\+[^+]*\+\+")
_NO_LETTERS = re.compile(r"[^a-z0-9' ]+")
_SPELLINGS = {"mister": "mr"}


class Score(NamedTuple):
    """How one recording went."""

    name: str
    kind: str
    words: int
    errors: int
    audio_seconds: float
    cpu_seconds: float
    heard: str


def main() -> int:
    """Print the table; 2 where there is nothing to measure."""
    arguments = _arguments()
    if not (arguments.folder / "references.json").is_file():
        print(f"{arguments.folder} holds no references.json", file=sys.stderr)
        return 2
    scores = tuple(measure(arguments.folder))
    print(json.dumps(_as_json(scores), indent=1) if arguments.json else _as_table(scores))
    return 0


def measure(folder: Path) -> Iterable[Score]:
    """Transcribe every recording that `references.json` names."""
    engine = load_engine("pocketsphinx")
    references = json.loads((folder / "references.json").read_text())
    for name, reference in sorted(references.items()):
        yield _score(engine, folder / name, reference["kind"], normalised(reference["text"]))


def normalised(text: str) -> str:
    """What two texts that say the same have in common."""
    plain = _NO_LETTERS.sub(" ", _TAGS.sub(" ", text.lower()))
    return " ".join(_SPELLINGS.get(word, word) for word in plain.split())


def _score(engine: SpeechEngine, recording: Path, kind: str, reference: str) -> Score:
    started = time.process_time()
    transcript = engine.transcribe(recording, DecodingLimits(), lambda _: None)
    cpu_seconds = time.process_time() - started
    heard = normalised(transcript.text)
    counted = jiwer.process_words(reference, heard)
    errors = counted.substitutions + counted.deletions + counted.insertions
    words = len(reference.split())
    return Score(recording.name, kind, words, errors, transcript.duration_seconds, cpu_seconds, heard)


def _total(scores: Iterable[Score], name: str, kind: str) -> Score:
    words, errors, audio, cpu = map(sum, zip(*(score[2:6] for score in scores), strict=True))
    return Score(name, kind, words, errors, audio, cpu, "")


def _totals(scores: tuple[Score, ...]) -> list[Score]:
    kinds = sorted({score.kind for score in scores})
    by_kind = [_total((score for score in scores if score.kind == kind), "all", kind) for kind in kinds]
    return [*by_kind, _total(scores, "all", "overall")]


def _rate(score: Score) -> float:
    return 100 * score.errors / max(score.words, 1)


def _as_table(scores: tuple[Score, ...]) -> str:
    lines = [
        f"{'recording':<24} {'kind':<12} {'words':>5} {'errors':>6} {'WER %':>6} {'seconds':>8} {'RTF':>5}"
    ]
    lines += [
        f"{score.name:<24} {score.kind:<12} {score.words:>5} {score.errors:>6} {_rate(score):>6.1f}"
        f" {score.audio_seconds:>8.1f} {score.cpu_seconds / score.audio_seconds:>5.2f}"
        for score in (*scores, *_totals(scores))
    ]
    return "\n".join(lines)


def _as_json(scores: tuple[Score, ...]) -> dict[str, object]:
    files, totals = (
        [{**score._asdict(), "word_error_rate": _rate(score)} for score in group]
        for group in (scores, _totals(scores))
    )
    return {"files": files, "totals": totals}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Word error rate and speed of the speech engine.")
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT_FOLDER)
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
