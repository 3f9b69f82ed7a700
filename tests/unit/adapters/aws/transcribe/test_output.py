"""Outputs of Amazon Transcribe, in the forms in which it writes them."""

import json

import pytest

from adapters.aws.transcribe.output import PAUSE_SECONDS, parse_output
from domain.model.errors import TranscriptionFailedError
from domain.model.speech import HeardUnit
from tests.support.aws.transcribe import mark, output_of, spoken

HELLO = [spoken("Hello", 0.0, 0.4), mark(","), spoken("there", 0.5, 0.9), mark("."), spoken("Yes", 1.0, 1.2)]


def texts(heard: HeardUnit) -> list[str]:
    return [segment.text for segment in heard.segments]


def test_times_are_texts_and_punctuation_joins_the_word_before() -> None:
    heard = parse_output(output_of(HELLO))

    assert texts(heard) == ["Hello, there.", "Yes"]
    words = [(word.text, word.start, word.end, word.confidence) for word in heard.segments[0].words]
    assert words == [("Hello,", 0.0, 0.4, 0.98), ("there.", 0.5, 0.9, 0.98)]
    assert (heard.segments[0].start, heard.segments[0].end) == (0.0, 0.9)


def test_a_full_stop_within_a_word_ends_no_sentence() -> None:
    items = [spoken("Dr.", 0.0, 0.2), spoken("Who", 0.3, 0.5), spoken("3.5", 0.6, 0.8), mark("!")]

    assert texts(parse_output(output_of(items))) == ["Dr. Who 3.5!"]


def test_opening_marks_join_the_word_behind() -> None:
    items = [spoken("Hola", 0.0, 0.3), mark("."), mark("\u00bf"), spoken("Qu\u00e9", 0.4, 0.6), mark("?")]

    assert texts(parse_output(output_of(items))) == ["Hola.", "\u00bfQu\u00e9?"]


def test_a_pause_ends_a_segment() -> None:
    late = 0.5 + PAUSE_SECONDS
    items = [
        spoken("one", 0.0, 0.4),
        spoken("two", late, late + 0.1),
        spoken("three", late + 0.2, late + 0.3),
    ]

    assert texts(parse_output(output_of(items))) == ["one", "two three"]


def test_a_change_of_the_speaker_ends_a_segment() -> None:
    items = [
        spoken("yes", 0.0, 0.2, speaker="spk_0"),
        spoken("no", 0.3, 0.5, speaker="spk_1"),
        spoken("never", 0.6, 0.8, speaker="spk_1"),
    ]

    heard = parse_output(output_of(items))

    assert [(segment.speaker, segment.text) for segment in heard.segments] == [
        ("spk_0", "yes"),
        ("spk_1", "no never"),
    ]


def test_speakers_of_an_older_output_are_found_by_the_times_of_their_words() -> None:
    labels = {
        "speakers": 2,
        "segments": [
            {"speaker_label": "spk_0", "items": [{"start_time": "0.00", "speaker_label": "spk_0"}]},
            {"speaker_label": "spk_1", "items": [{"start_time": "0.30", "speaker_label": "spk_1"}]},
        ],
    }
    items = [spoken("yes", 0.0, 0.2), spoken("no", 0.3, 0.5)]

    heard = parse_output(output_of(items, speaker_labels=labels))

    assert [segment.speaker for segment in heard.segments] == ["spk_0", "spk_1"]


def test_the_language_is_told_with_its_score() -> None:
    identified = [{"score": "0.9883", "code": "en-GB"}, {"score": "0.0117", "code": "de-DE"}]

    heard = parse_output(output_of(HELLO, language_code="en-GB", language_identification=identified))

    assert (heard.language, heard.language_probability) == ("en", 0.9883)


def test_a_language_that_was_asked_for_has_no_score() -> None:
    heard = parse_output(output_of(HELLO, language_code="de-CH"))

    assert (heard.language, heard.language_probability) == ("de", None)


def test_languages_without_spaces_get_none() -> None:
    items = [spoken("\u3053\u3093", 0.0, 0.2), spoken("\u306b\u3061\u306f", 0.2, 0.4), mark("\u3002")]

    assert texts(parse_output(output_of(items, separator=""))) == ["\u3053\u3093\u306b\u3061\u306f\u3002"]


def test_a_word_without_times_follows_the_word_before() -> None:
    timeless = {"type": "pronunciation", "alternatives": [{"content": "um"}]}

    (segment,) = parse_output(output_of([spoken("well", 0.0, 0.3), timeless])).segments

    assert [(word.start, word.end) for word in segment.words] == [(0.0, 0.3), (0.3, 0.3)]


def test_silence_has_no_segments() -> None:
    assert parse_output(output_of([])).segments == ()


def test_a_mark_before_any_word_is_dropped() -> None:
    assert texts(parse_output(output_of([mark("."), *HELLO[:1]]))) == ["Hello"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>maintenance</html>",
        b'{"results": {"items": [',
        b"[]",
        b"{}",
        b'{"results": {}}',
        b'{"results": {"items": [{"type": "pronunciation", "alternatives": []}]}}',
        json.dumps({"results": {"items": [{**spoken("secret", 0, 1), "start_time": "soon"}]}}).encode(),
        json.dumps({"results": {"items": [{**spoken("secret", 0, 1), "end_time": "NaN"}]}}).encode(),
    ],
)
def test_garbage_is_told_without_quoting_it(content: bytes) -> None:
    with pytest.raises(TranscriptionFailedError, match="the output of the job cannot be read") as failure:
        parse_output(content)

    assert "secret" not in str(failure.value)
