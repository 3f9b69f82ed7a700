"""Spans of a transcription."""

import asyncio
from pathlib import Path

import pytest

from adapters.telemetry.traced.speech import (
    TracedCleaner,
    TracedRecogniser,
    TracedSpeechSource,
    TracedTranscriber,
)
from domain.model.errors import TranscriberStalledError, TranscriptionError
from domain.model.transcripts import Transcript
from domain.services.transcription.transcriber import UnitTranscriber
from ports.speech_source_port import SoundSummary
from ports.transcriber_port import TranscriberState
from tests.support.doubles.speech import FakeRecogniser, FakeSpeechSource, UnitCall, unit_of, write_reading
from tests.support.doubles.transcription import SPOKEN, CallbackCleaner, FixedTranscriber
from tests.support.telemetry.spans import RecordedTrace, parent_of, traceparent_of

UNITS = 20


@pytest.fixture
def trace() -> RecordedTrace:
    return RecordedTrace()


def transcriber_on(recogniser: FakeRecogniser, trace: RecordedTrace) -> TracedTranscriber:
    units = UnitTranscriber(
        TracedSpeechSource(FakeSpeechSource(), trace), TracedRecogniser(recogniser, trace), waiting_room=1
    )
    return TracedTranscriber(units, trace)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    units = [unit_of(number * 10.0, sound=number % 9 + 1) for number in range(UNITS)]
    file = tmp_path / "recording"
    write_reading(file, *units, SoundSummary(UNITS * 10.0, is_audible=True))
    return file


async def transcribed(transcriber: TracedTranscriber, recording: Path, trace: RecordedTrace) -> Transcript:
    with trace.span("request"):
        return await transcriber.transcribe(recording)


def test_decoding_and_units_are_parts_of_the_transcription(trace: RecordedTrace, recording: Path) -> None:
    transcript = asyncio.run(transcribed(transcriber_on(FakeRecogniser(), trace), recording, trace))

    whole, request = trace.only("transcribe recording"), trace.only("request")
    units = [span for span in trace.spans if span.name == "recognise unit"]
    assert parent_of(whole) == traceparent_of(request)
    assert parent_of(trace.only("decode recording")) == traceparent_of(whole)
    assert {parent_of(unit) for unit in units} == {traceparent_of(whole)}
    assert len(units) >= UNITS
    assert len(transcript.segments) == UNITS
    assert (whole.attributes or {})["transcription.audio_seconds"] == UNITS * 10.0
    assert not [span for span in trace.spans if not span.status.is_unset]


def test_a_unit_that_fails_fails_what_it_is_part_of(trace: RecordedTrace, recording: Path) -> None:
    def fail(_: UnitCall) -> None:
        raise TranscriberStalledError("it said: secret")

    transcriber = transcriber_on(FakeRecogniser(fail), trace)  # type: ignore[arg-type]  # it never answers
    with pytest.raises(TranscriptionError):
        asyncio.run(transcribed(transcriber, recording, trace))

    for name in ("transcribe recording", "request"):
        assert (trace.only(name).attributes or {})["error.type"] == "TranscriberStalledError"
    assert trace.only("decode recording").status.is_unset
    assert "secret" not in "".join(span.to_json() for span in trace.spans)


def test_cleaning_is_a_span(trace: RecordedTrace) -> None:
    cleaned = asyncio.run(TracedCleaner(CallbackCleaner(), trace).clean(SPOKEN))

    assert cleaned.cleaner == "callback"
    assert trace.names == ["clean transcript"]
    assert SPOKEN.text not in trace.only("clean transcript").to_json()


def test_the_load_is_that_of_the_transcriber(trace: RecordedTrace) -> None:
    traced = TracedTranscriber(FixedTranscriber(), trace)

    traced.check_capacity()

    assert traced.state() == TranscriberState(1, 1, 0, 2, retry_after_seconds=7)
