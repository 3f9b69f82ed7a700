"""Recordings through a server that loses words, invents times or hears nothing: the core notices."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.openai.access import OpenAiAccess
from adapters.openai.models import model_named
from adapters.openai.recogniser import OpenAiRecogniser
from domain.model.errors import TranscriberCrashedError
from domain.model.transcripts import Transcript
from domain.services.transcription.transcriber import UnitTranscriber
from ports.speech_source_port import SoundSummary
from tests.support.doubles.speech import FakeSpeechSource, unit_of, write_reading
from tests.support.openai.forms import TranscriptionRequest
from tests.support.openai.server import OpenAiServer, Reply, answer_of, reply, words_in

UNIT_SECONDS = 20.0


@pytest.fixture
async def transcriber(access: OpenAiAccess) -> AsyncIterator[UnitTranscriber]:
    recogniser = OpenAiRecogniser(access, model_named("whisper-1"), requests=3, pause=lambda _: 0.0)
    yield UnitTranscriber(FakeSpeechSource(), recogniser, waiting_room=0)
    await recogniser.stop()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    units = [unit_of(place * UNIT_SECONDS, UNIT_SECONDS, sound=place + 1) for place in range(3)]
    return write_reading(tmp_path / "recording", *units, SoundSummary(60.0, is_audible=True))


def spoken(server: OpenAiServer) -> str:
    """Return what is said in the recording: each unit once, in order."""
    said = {request.samples: " ".join(words_in(request)) for request in server.requests}
    return " ".join(said[samples] for samples in sorted(said))


def is_timed(request: TranscriptionRequest) -> bool:
    return request.field("response_format") == "verbose_json"


def is_sound(transcript: Transcript) -> bool:
    """Check that times rise and lie within the recording."""
    moments = [moment for segment in transcript.segments for moment in (segment.start, segment.end)]
    inside = [
        segment.start <= moment <= segment.end
        for segment in transcript.segments
        for word in segment.words
        for moment in (word.start, word.end)
    ]
    return moments == sorted(moments) and moments[-1] <= transcript.duration_seconds and all(inside)


async def test_a_faultless_server_is_asked_once_for_each_unit(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path
) -> None:
    transcript = await transcriber.transcribe(recording)

    assert transcript.text == spoken(server)
    assert len(server.requests) == 3
    assert transcript.quality.coverage == 1.0
    assert transcript.quality.retried_units == transcript.quality.suspect_units == 0
    assert is_sound(transcript)
    assert transcript.provenance is not None
    assert (transcript.provenance.engine, transcript.provenance.model) == ("openai", "whisper-1")
    assert transcript.provenance.language == "en"


async def test_a_server_that_drops_the_tail_with_its_times_gives_it_without_times(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path
) -> None:
    def dropping(request: TranscriptionRequest) -> Reply:
        said = words_in(request)
        kept = answer_of(request, said)
        if is_timed(request):  # segments, words and text all end with the second segment
            segments: Any = kept["segments"]
            words: Any = kept["words"]
            kept |= {"text": " ".join(said[:20]), "segments": segments[:2], "words": words[:20]}
        return reply(kept)

    server.transcribe = dropping

    transcript = await transcriber.transcribe(recording)

    assert transcript.text == spoken(server)
    assert transcript.quality.retried_units == 3
    assert transcript.quality.suspect_units == 0


async def test_a_success_without_text_is_asked_for_again(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path
) -> None:
    server.next.append(reply({"text": "", "segments": [], "words": []}))

    transcript = await transcriber.transcribe(recording)

    assert transcript.text == spoken(server)
    assert transcript.quality.retried_units == 1
    assert transcript.quality.coverage == 1.0


async def test_a_success_that_never_has_text_is_reported_as_none(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path
) -> None:
    server.transcribe = lambda _: reply({"text": ""})

    transcript = await transcriber.transcribe(recording)

    assert transcript.segments == ()
    assert transcript.quality.suspect_units == 3
    assert transcript.quality.coverage == 0.0
    assert [warning.code.value for warning in transcript.warnings] == ["no-words-heard"]


@pytest.mark.parametrize("broken", [Reply(b"<html>", content_type="text/html"), Reply(b'{"text": "half')])
async def test_one_broken_answer_costs_no_word(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path, broken: Reply
) -> None:
    server.next.append(broken)

    transcript = await transcriber.transcribe(recording)

    assert transcript.text == spoken(server)


async def test_a_server_that_always_answers_with_a_page_fails_the_recording(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path
) -> None:
    server.transcribe = lambda _: Reply(b"<html>", content_type="text/html")

    with pytest.raises(TranscriberCrashedError, match="no JSON"):
        await transcriber.transcribe(recording)


@pytest.mark.parametrize(
    ("shift", "stretch"), [(0.0, 1.01), (0.0, 40.0), (-25.0, 1.0), (500.0, 1.0), (20.0, -1.0)]
)
async def test_times_beyond_the_unit_or_in_reverse_are_brought_back(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path, shift: float, stretch: float
) -> None:
    def inventing(request: TranscriptionRequest) -> Reply:
        answer = answer_of(request, words_in(request))
        if is_timed(request):
            timed: Any = answer["segments"]
            words: Any = answer["words"]
            for each in [*timed, *words]:
                each |= {"start": shift + stretch * each["start"], "end": shift + stretch * each["end"]}
        return reply(answer)

    server.transcribe = inventing

    transcript = await transcriber.transcribe(recording)

    assert transcript.text == spoken(server)
    assert is_sound(transcript)


async def test_words_under_another_name_in_their_segments_have_times(
    server: OpenAiServer, transcriber: UnitTranscriber, recording: Path
) -> None:
    def renaming(request: TranscriptionRequest) -> Reply:
        answer = answer_of(request, words_in(request))
        words: Any = answer.pop("words")
        segments: Any = answer["segments"]
        for place, segment in enumerate(segments):
            own = words[10 * place : 10 * place + 10]
            segment["words"] = [{"text": w["word"], "start": w["start"], "end": w["end"]} for w in own]
        return reply(answer)

    server.transcribe = renaming

    transcript = await transcriber.transcribe(recording)

    assert " ".join(word.text for segment in transcript.segments for word in segment.words) == spoken(server)


async def test_ten_units_of_odd_lengths_have_their_last_words_on_time(
    transcriber: UnitTranscriber, tmp_path: Path
) -> None:
    starts = [place * 28.7 for place in range(10)]
    units = [unit_of(start, 27.4 + place / 9, sound=place + 1) for place, start in enumerate(starts)]
    recording = write_reading(tmp_path / "long", *units, SoundSummary(300.0, is_audible=True))

    transcript = await transcriber.transcribe(recording)

    ends = [unit.start_seconds + unit.seconds for unit in units]
    last_words = [
        max(w.end for s in transcript.segments for w in s.words if w.end <= end + 0.01) for end in ends
    ]
    assert last_words == pytest.approx(ends, abs=0.05)
