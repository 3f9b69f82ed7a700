"""Transcripts, the options of a caller, and their JSON: what is not known is absent, and never null."""

import json
import math

import pytest
from pydantic import BaseModel, ValidationError

from domain.model.transcripts import (
    MAX_TERM_LENGTH,
    MAX_VOCABULARY_TERMS,
    Provenance,
    Quality,
    Segment,
    Transcript,
    TranscriptionOptions,
    Word,
)


def test_the_text_is_what_the_segments_say() -> None:
    segments = (
        Segment(start=0.0, end=1.0, text="hello"),
        Segment(start=1.5, end=1.6, text=""),
        Segment(start=2.0, end=3.0, text="who is there"),
    )

    assert Transcript(duration_seconds=3.0, segments=segments).text == "hello who is there"


def test_nobody_speaking_is_an_empty_text() -> None:
    assert Transcript(duration_seconds=3600.0).text == ""


@pytest.mark.parametrize(("start", "end"), [(2.0, 1.0), (-1.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_impossible_times_are_refused(start: float, end: float) -> None:
    with pytest.raises(ValidationError):
        Segment(start=start, end=end, text="a")


def test_track_and_channel_are_absent_unless_they_are_known() -> None:
    assert Segment(start=0.0, end=1.0, text="a").model_dump_json() == '{"start":0.0,"end":1.0,"text":"a"}'
    numbered = Segment(start=0.0, end=1.0, text="a", track=2, channel=1)
    assert Segment.model_validate_json(numbered.model_dump_json()) == numbered
    schema = Segment.model_json_schema(mode="serialization")
    assert schema["required"] == ["start", "end", "text"]
    assert schema["properties"]["channel"] == {"minimum": 1, "title": "Channel", "type": "integer"}


@pytest.mark.parametrize(
    ("plain", "json"),
    [
        (Word(start=0.0, end=1.0, text="a"), '{"start":0.0,"end":1.0,"text":"a"}'),
        (Segment(start=0.0, end=1.0, text="a"), '{"start":0.0,"end":1.0,"text":"a"}'),
        (Provenance(engine="fake", model="small"), '{"engine":"fake","model":"small"}'),
    ],
)
def test_what_is_not_known_is_absent(plain: BaseModel, json: str) -> None:
    assert plain.model_dump_json() == json
    assert type(plain).model_validate_json(json) == plain


@pytest.mark.parametrize("model", [Word, Segment, Provenance, Quality])
def test_no_field_may_be_null(model: type[BaseModel]) -> None:
    assert "null" not in json.dumps(model.model_json_schema(mode="serialization"))


def test_a_transcript_with_everything_survives_its_json() -> None:
    words = (Word(start=0.0, end=0.5, text="hello", confidence=0.75), Word(start=0.5, end=1.0, text="you"))
    transcript = Transcript(
        duration_seconds=2.0,
        segments=(
            Segment(start=0.0, end=1.0, text="hello you", words=words, speaker="A", track=1, channel=2),
            Segment(start=1.0, end=2.0, text="you", is_doubtful=True),
        ),
        provenance=Provenance(engine="fake", model="small", language="en", language_probability=0.9),
        quality=Quality(suspect_units=1, retried_units=2, coverage=0.5),
    )

    assert Transcript.model_validate_json(transcript.model_dump_json()) == transcript


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(ValidationError):
        Word(start=0.0, end=1.0, text="a", confidence=confidence)


@pytest.mark.parametrize("language", ["en", "yue"])
def test_languages_have_short_codes(language: str) -> None:
    assert TranscriptionOptions(language=language).language == language


@pytest.mark.parametrize("language", ["", "EN", "en-US", "english", "e", "en\n"])
def test_other_names_of_languages_are_refused(language: str) -> None:
    with pytest.raises(ValidationError):
        TranscriptionOptions(language=language)


@pytest.mark.parametrize(
    "term", ["", " ", "a\nb", "a\rb", "a\x00b", "<a>", "a>b", "<", "x" * (MAX_TERM_LENGTH + 1)]
)
def test_a_term_that_engines_cannot_take_is_refused(term: str) -> None:
    with pytest.raises(ValidationError):
        TranscriptionOptions(vocabulary=(term,))


@pytest.mark.parametrize("term", ["x", "Acme Corp.", "O'Neill & Søn", "東京", "a" * MAX_TERM_LENGTH])
def test_names_and_product_words_are_terms(term: str) -> None:
    assert TranscriptionOptions(vocabulary=(term,)).vocabulary == (term,)


def test_a_vocabulary_has_a_limit() -> None:
    terms = tuple(f"term {number}" for number in range(MAX_VOCABULARY_TERMS))

    assert TranscriptionOptions(vocabulary=terms).vocabulary == terms
    with pytest.raises(ValidationError):
        TranscriptionOptions(vocabulary=(*terms, "one more"))
