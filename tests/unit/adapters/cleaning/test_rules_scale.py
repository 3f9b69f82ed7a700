"""Long and hostile texts: a rule that is not linear exceeds the time limit of its test."""

import pytest

from adapters.cleaning.rules import RulesCleaner
from domain.model.transcripts import Segment, Transcript
from tests.contracts.cleaner_port import heard, words

pytestmark = pytest.mark.slow

SIZE = 200_000
HOSTILE = {
    "a stutter without end": "a ",
    "a phrase without end": "i want to ",
    "hesitations without end": "um ",
    "no word but many letters": "u",
    "a hum without end": "m",
    "broken-off words": "a- ",
    "one word broken off again and again": "w-",
    "tags that never close": "<",
    "brackets that never close": "[noise",
    "plus signs": "+",
    "control tags that never close": "<|",
    "brackets within brackets": "[(",
    "stars": "*",
    "noises within noises": "[music ",
    "loops of loops": "a b a b a b a b a b c d c d c d c d ",
    "sentences without end": "Thank you. ",
    "stammering without end": "I-",
    "suffixes": "(2)",
    "a suffix too many": "a(2) ",
    "stops": ".",
    "detached stops": ". ",
    "commas": ",",
    "initials": "a.",
    "white space": " \t",
    "no-break spaces": "\u00a0",
    "numbers": "1 ",
    "phrases that almost repeat": "a b c d e f g h a b c d e f g ",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_takes_no_longer_than_any_other(kind: str) -> None:
    piece = HOSTILE[kind]
    text = piece * (SIZE // len(piece)) + "done"

    cleaned = RulesCleaner().readable_text(heard(text))

    assert "done" in cleaned.casefold()
    assert len(cleaned) <= len(text) + 1


def test_four_hours_of_talk_are_cleaned() -> None:
    talk = "um so i i went to the to the station at {} and uh the the train was was late".format
    segments = tuple(
        Segment(start=5.0 * place, end=5.0 * place + 4, text=talk(place)) for place in range(2_880)
    )

    text = RulesCleaner().readable_text(Transcript(duration_seconds=14_400.0, segments=segments))

    sentences = [f"So I went to the station at {place} and the train was was late." for place in range(2_880)]
    assert text == " ".join(sentences)
    assert len(words(" ".join(segment.text for segment in segments))) > 40_000


def test_forty_thousand_words_without_a_pause_are_cleaned() -> None:
    segments = tuple(
        Segment(start=float(place), end=place + 1.0, text="go to the to the um station")
        for place in range(6_000)
    )

    text = RulesCleaner().readable_text(Transcript(duration_seconds=6_000.0, segments=segments))

    assert text == "Go to the station."
