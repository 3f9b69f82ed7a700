"""Redaction of transcripts whose words, voices and segments do not make it easy."""

import logging

import pytest

from adapters.redaction.rules import RulesRedactor
from domain.model.speech import HeardSegment, HeardUnit, HeardWord
from domain.model.transcripts import Segment, Transcript, Word
from domain.services.redaction.redacted_speech import RedactedCheckpoint
from domain.services.redaction.redaction import Redaction
from domain.services.transcription.unit_recognition import SavedUnit
from ports.transcriber_port import Checkpoint

CARD = "4111 1111 1111 1111"


@pytest.fixture
def redaction() -> Redaction:
    return Redaction(RulesRedactor(), language="en")


def segment(text: str, *words: str, start: float = 0.0, channel: int | None = None) -> Segment:
    """Build a segment whose words, a second each, may be other ones than those of its text."""
    timed = tuple(
        Word(start=start + number, end=start + number + 0.9, text=word) for number, word in enumerate(words)
    )
    return Segment(start=start, end=start + max(len(words), 1), text=text, words=timed, channel=channel)


def transcript(*segments: Segment) -> Transcript:
    return Transcript(duration_seconds=60.0, segments=segments)


def only(redaction: Redaction, *segments: Segment) -> Segment:
    (found,) = redaction.of_transcript(transcript(*segments)).segments
    return found


def words(found: Segment) -> list[tuple[float, float, str]]:
    return [(word.start, word.end, word.text) for word in found.words]


@pytest.mark.parametrize(
    "cut", [("555", "-867", "-5309."), ("555-867-5309",), ("(555)", "867", "5309"), ("555-", "867-5309.")]
)
def test_engines_cut_and_punctuate_words_as_they_like(redaction: Redaction, cut: tuple[str, ...]) -> None:
    found = only(redaction, segment("Call 555-867-5309. Bye", "Call", *cut, "Bye"))

    assert found.text == "Call [PHONE]. Bye"
    stop = "." if cut[-1].endswith(".") else ""
    assert [word.text.removeprefix("(") for word in found.words] == ["Call", f"[PHONE]{stop}", "Bye"]
    assert words(found)[1][:2] == (1.0, len(cut) + 0.9)


def test_signs_that_are_words_of_their_own_go_with_the_number(redaction: Redaction) -> None:
    found = only(redaction, segment("— +49 89 12345678 — yes", "—", "+", "49", "89", "12345678", "—", "yes"))

    assert found.text == "— [PHONE] — yes"
    assert [word.text for word in found.words] == ["—", "[PHONE]", "—", "yes"]


def test_words_that_are_not_those_of_the_text_are_dropped_where_data_is_found(redaction: Redaction) -> None:
    assert only(redaction, segment(f"card {CARD}", "my", "card", "4111")).words == ()
    assert only(redaction, segment("no number", "card", *CARD.split())).words == ()


def test_words_that_are_not_those_of_the_text_stay_where_nothing_is_found(redaction: Redaction) -> None:
    whole = transcript(segment("hello there", "hallo", "there"))

    assert redaction.of_transcript(whole) is whole


def test_a_sentence_in_several_segments_leaves_a_marker_in_each(redaction: Redaction) -> None:
    parts = (
        segment("card 4111"),
        segment("1111", start=5),
        segment("", start=6),
        segment("1111 1111 ok", start=9),
    )

    after = redaction.of_transcript(transcript(*parts))

    assert [each.text for each in after.segments] == ["card [CARD]", "[CARD]", "", "[CARD] ok"]


def test_voices_are_searched_each_by_itself(redaction: Redaction) -> None:
    parts = (
        segment("card 4111 1111", start=0, channel=1),
        segment("yes go on please", start=1, channel=2),
        segment("1111 1111 ok", start=2, channel=1),
        segment("three seconds", start=3, channel=2),
    )

    after = redaction.of_transcript(transcript(*parts))

    texts = [each.text for each in after.segments]
    assert texts == ["card [CARD]", "yes go on please", "[CARD] ok", "three seconds"]
    assert redaction.of_cleaned(after.text, after) == after.text


def test_an_account_in_front_of_an_address_hides_nothing_between_them(redaction: Redaction) -> None:
    text = "my DE89370400440532013000 +49 170 1234567 john@example.com yes"

    after = only(redaction, segment(text, *text.split()))

    assert not any(number in after.model_dump_json() for number in ("DE89", "170", "1234567", "john"))


def test_the_log_has_numbers_and_no_text(redaction: Redaction, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        redaction.of_transcript(transcript(segment(f"card {CARD}, mail john@example.com")))

    (record,) = caplog.records
    assert record.redactions == {"CARD": 1, "EMAIL": 1}  # type: ignore[attr-defined]  # an extra of the log line
    assert "4111" not in str(record.__dict__)


def test_cleaning_that_joins_a_number_does_not_bring_it_back(redaction: Redaction) -> None:
    heard = transcript(segment("f-four one one one t-two three"))

    assert redaction.of_transcript(heard) is heard
    assert redaction.of_cleaned("Four one one one two three.", heard) == "[NUMBER]."


class _Kept(Checkpoint):
    def __init__(self) -> None:
        self.units: dict[str, str] = {}

    def find(self, fingerprint: str, /) -> str | None:
        return self.units.get(fingerprint)

    def save(self, fingerprint: str, result_json: str, /) -> None:
        self.units[fingerprint] = result_json


def saved(*texts: str) -> str:
    """Return the JSON of a finished unit."""
    segments = tuple(
        HeardSegment(
            start=0,
            end=9,
            text=f" {text}",
            words=tuple(HeardWord(start=n, end=n + 1, text=f" {w}") for n, w in enumerate(text.split())),
        )
        for text in texts
    )
    unit = SavedUnit(heard=HeardUnit(segments=segments, language="en"), suspicions=(), was_retried=True)
    return unit.model_dump_json()


def test_a_unit_is_redacted_before_it_is_stored(redaction: Redaction) -> None:
    kept = _Kept()

    RedactedCheckpoint(kept, redaction).save("unit", saved(f"my card is {CARD} thanks", "bye"))

    (unit,) = (SavedUnit.model_validate_json(each) for each in kept.units.values())
    assert [each.text for each in unit.heard.segments] == [" my card is [CARD] thanks", " bye"]
    assert [word.text for word in unit.heard.segments[0].words] == [
        " my",
        " card",
        " is",
        " [CARD]",
        " thanks",
    ]
    assert unit.was_retried
    assert unit.heard.language == "en"


def test_a_unit_without_personal_data_is_stored_as_it_is(redaction: Redaction) -> None:
    kept = _Kept()

    RedactedCheckpoint(kept, redaction).save("unit", saved("hello there"))

    assert kept.units == {"unit": saved("hello there")}
    assert RedactedCheckpoint(kept, redaction).find("unit") == saved("hello there")


def test_a_number_that_two_units_share_is_whole_again_after_a_crash(redaction: Redaction) -> None:
    kept, parts = _Kept(), ("my card is 4111 1111 1111", "1111 thanks")
    for part in parts:
        RedactedCheckpoint(kept, redaction).save(part, saved(part))
    stored = [
        SavedUnit.model_validate_json(kept.units[part]).heard.segments[0].text.strip() for part in parts
    ]

    after = redaction.of_transcript(transcript(*(segment(each, start=n) for n, each in enumerate(stored))))

    assert stored == ["my card is [NUMBER]", "1111 thanks"]
    assert [each.text for each in after.segments] == ["my card is [NUMBER]", "[NUMBER] thanks"]
