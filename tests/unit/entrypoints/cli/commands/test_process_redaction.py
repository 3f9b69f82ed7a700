"""`transcripts process` with REDACTOR=rules."""

import json
from pathlib import Path

import pytest

from domain.model.transcripts import Segment, Transcript
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.processing import heard_by, process_here
from tests.support.samples.private_speech import PRIVATE

SPEECH = Transcript(
    duration_seconds=60.0,
    segments=tuple(
        Segment(start=number, end=number + 1, text=speech.text)
        for number, speech in enumerate(PRIVATE.values())
    ),
)


@pytest.mark.parametrize("form", [("--json",), ()], ids=["json", "text"])
@pytest.mark.parametrize("redactor", ["rules", "none"])
def test_personal_data_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redactor: str, form: tuple[str, ...]
) -> None:
    (tmp_path / "call.wav").write_bytes(b"sound")
    for name, value in (("REDACTOR", redactor), ("EVENT_TRANSPORT", "memory"), ("DATA_DIR", str(tmp_path))):
        monkeypatch.setenv(name, value)

    result = process_here(monkeypatch, heard_by(FixedTranscriber(SPEECH)), tmp_path / "call.wav", *form)

    said = " ".join((result.stdout + result.stderr).split()).casefold()
    leaks = [speech.data for speech in PRIVATE.values() if speech.data.casefold() in said]
    assert result.exit_code == 0
    assert bool(leaks) == (redactor == "none")
    if form and redactor == "rules":
        (answer,) = json.loads(result.stdout)["results"]
        assert {speech.kind.marker for speech in PRIVATE.values()} <= set(
            answer["raw_transcript"].replace(",", " ").replace(".", " ").split()
        )
