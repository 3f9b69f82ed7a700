from datetime import date

import pytest

from adapters.openai.models import END_OF_OLD_MODELS, ResponseFormat, VocabularyField, model_named
from adapters.openai.recogniser import keyword

ENDING = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize")


@pytest.mark.parametrize("name", ENDING)
def test_the_models_that_openai_ends_are_remembered_with_their_day(name: str) -> None:
    before = model_named(name).ends_warning(date(2026, 11, 28))
    after = model_named(name).ends_warning(END_OF_OLD_MODELS)

    assert before == f"OpenAI ends the model {name} on 26 February 2027: use gpt-transcribe instead"
    assert after is not None
    assert "ended" in after


@pytest.mark.parametrize("name", ["gpt-transcribe", "whisper-large-v3", "whisper-large-v3-turbo", "mine"])
def test_no_other_model_ends(name: str) -> None:
    assert model_named(name).ends_warning(date(2030, 1, 1)) is None


@pytest.mark.parametrize(
    ("name", "words", "vocabulary"),
    [
        ("gpt-transcribe", False, True),
        ("gpt-4o-transcribe", False, True),
        ("gpt-4o-mini-transcribe", False, True),
        ("gpt-4o-transcribe-diarize", False, False),
        ("whisper-1", True, True),
        ("whisper-large-v3", True, True),
        ("whisper-large-v3-turbo", True, True),
        ("an-unknown-one", False, False),
    ],
)
def test_the_door_learns_what_a_model_can_do(name: str, *, words: bool, vocabulary: bool) -> None:
    engine = model_named(name).description

    assert (engine.name, engine.model) == ("openai", name)
    assert (engine.times_words, engine.takes_vocabulary) == (words, vocabulary)
    assert engine.finds_language
    assert engine.speaks("nl")
    assert not engine.tells_speakers, "the labels of one unit say nothing about those of the next"


def test_an_unknown_model_is_asked_for_text_alone_unless_the_operator_knows_better() -> None:
    unknown = model_named("mine")
    asked = model_named("mine", ResponseFormat.VERBOSE_JSON)

    assert unknown.response_format is ResponseFormat.JSON
    assert asked.response_format is ResponseFormat.VERBOSE_JSON
    assert asked.vocabulary_field is VocabularyField.PROMPT
    assert asked.description.times_words


def test_a_server_that_spoils_times_can_be_asked_for_text_alone() -> None:
    model = model_named("whisper-1", ResponseFormat.JSON)

    assert not model.description.times_words
    assert model.description.takes_vocabulary


@pytest.mark.parametrize(
    ("term", "cleaned"),
    [
        ("Ada", "Ada"),
        (" Ada  Byron ", "Ada Byron"),
        ("<i>Ada</i>", "i Ada /i"),
        ("a\nb\tc", "a b c"),
        ("<>", ""),
    ],
)
def test_a_term_is_one_line_without_marks(term: str, cleaned: str) -> None:
    assert keyword(term) == cleaned
