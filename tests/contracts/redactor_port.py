"""Contract of `RedactorPort`: one test for each sentence of its docstrings, and for what is made with it.

A redactor binds the contract by subclassing it and providing the fixture `redactor`.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from adapters.cleaning.rules import RulesCleaner
from domain.model.personal_data import PersonalDataKind
from domain.model.transcripts import Provenance, Segment, Transcript, Word
from domain.services.redaction.redaction import Redaction
from domain.services.subtitles.formats import subrip, webvtt
from ports.redactor_port import RedactorPort
from tests.support.samples.private_speech import HARMLESS, PRIVATE


def spoken(*texts: str, language: str = "en") -> Transcript:
    """Return a segment for each text, whose words take half a second each."""
    segments: list[Segment] = []
    moment = 0.0
    for text in texts:
        words = tuple(
            Word(start=moment + number / 2, end=moment + number / 2 + 0.4, text=word, confidence=0.9)
            for number, word in enumerate(text.split())
        )
        end = moment + len(words) / 2
        segments.append(Segment(start=moment, end=end, text=" ".join(text.split()), words=words))
        moment = end + 1
    return Transcript(
        duration_seconds=moment,
        segments=tuple(segments),
        provenance=Provenance(engine="fake", model="fake", language=language),
    )


def texts_of(transcript: Transcript) -> list[str]:
    """Return everything in a transcript that a reader may get to see."""
    return [
        transcript.text,
        *(segment.text for segment in transcript.segments),
        " ".join(word.text for segment in transcript.segments for word in segment.words),
        " ".join(webvtt(transcript).split()),
        " ".join(subrip(transcript).split()),
        transcript.model_dump_json(),
    ]


class RedactorPortContract:
    """Suite for the adapters of `RedactorPort`."""

    @pytest.fixture
    def redaction(self, redactor: RedactorPort) -> Redaction:
        return Redaction(redactor, language="en")

    @pytest.mark.parametrize("name", PRIVATE)
    def test_personal_data_is_found_where_it_is(self, redactor: RedactorPort, name: str) -> None:
        speech = PRIVATE[name]

        (found,) = redactor.find(speech.text, "en")

        assert speech.text[found.start : found.end] == speech.data
        assert found.kind is speech.kind

    @pytest.mark.parametrize("name", PRIVATE)
    async def test_it_is_in_no_output(self, redaction: Redaction, name: str) -> None:
        speech = PRIVATE[name]

        transcript = redaction.of_transcript(spoken("hello there", speech.text, "good bye"))
        cleaned = await RulesCleaner().clean(transcript)

        assert transcript.segments[1].text == speech.redacted
        readable = redaction.of_cleaned(cleaned.text, transcript)
        assert speech.kind.marker in readable
        for text in (*texts_of(transcript), readable):
            assert speech.data.casefold() not in text.casefold()

    @pytest.mark.parametrize("name", PRIVATE)
    def test_one_word_takes_the_time_of_those_that_it_replaces(self, redaction: Redaction, name: str) -> None:
        speech = PRIVATE[name]
        before = spoken(speech.text)

        after = redaction.of_transcript(before)

        (old,), (new,) = before.segments, after.segments
        assert " ".join(word.text for word in new.words) == new.text
        (place,) = (n for n, word in enumerate(new.words) if speech.kind.marker in word.text)
        count = len(speech.data.split())
        assert new.words[place].start == old.words[place].start
        assert new.words[place].end == old.words[place + count - 1].end
        assert new.words[:place] == old.words[:place]
        assert new.words[place + 1 :] == old.words[place + count :]
        assert (new.start, new.end) == (old.start, old.end)

    @pytest.mark.parametrize("name", PRIVATE)
    def test_it_is_found_across_segments(self, redaction: Redaction, name: str) -> None:
        speech = PRIVATE[name]
        words = speech.data.split()
        half = len(words) // 2
        first, second = speech.before + " ".join(words[:half]), " ".join(words[half:]) + speech.after

        after = redaction.of_transcript(spoken(first, second))

        marker = speech.kind.marker
        expected = (
            [speech.before + marker, marker + speech.after]
            if half
            else [first.strip(), marker + speech.after]
        )
        assert [segment.text for segment in after.segments] == expected
        assert all(segment.text == " ".join(w.text for w in segment.words) for segment in after.segments)

    @pytest.mark.parametrize("name", HARMLESS)
    def test_a_text_without_personal_data_stays_as_it_is(self, redaction: Redaction, name: str) -> None:
        transcript = spoken(HARMLESS[name])

        assert redaction.of_transcript(transcript) is transcript
        assert redaction.of_cleaned(HARMLESS[name], transcript) == HARMLESS[name]

    @pytest.mark.parametrize("name", PRIVATE)
    def test_findings_are_in_order_and_do_not_overlap(self, redactor: RedactorPort, name: str) -> None:
        text = f"{PRIVATE[name].text} and then " * 3

        found = redactor.find(text, "en")

        assert len(found) == 3
        assert list(found) == sorted(found)
        assert all(one.end <= other.start for one, other in pairwise(found))

    @pytest.mark.parametrize("kind", PersonalDataKind)
    def test_a_marker_is_no_finding(self, redactor: RedactorPort, kind: PersonalDataKind) -> None:
        assert list(redactor.find(f"it is {kind.marker}, {kind.marker} and {kind.marker}", "en")) == []

    def test_a_number_beside_a_marker_is_a_part_of_it(self, redactor: RedactorPort) -> None:
        text = "it is 4111 [NUMBER], then one two [CARD] 3"

        found = [(text[each.start : each.end], each.kind.value) for each in redactor.find(text, "en")]

        assert found == [("4111 [NUMBER]", "NUMBER"), ("one two [CARD] 3", "CARD")]

    @pytest.mark.parametrize("language", ["en", "de", "xx", None])
    def test_the_language_may_be_any(self, redactor: RedactorPort, language: str | None) -> None:
        text = PRIVATE["card in groups"].text

        assert [each.kind for each in redactor.find(text, language)] == [PersonalDataKind.CARD]

    def test_several_texts_may_be_searched_at_the_same_time(self, redactor: RedactorPort) -> None:
        texts = [speech.text for speech in PRIVATE.values()] * 5
        one_by_one = [list(redactor.find(text, "en")) for text in texts]

        with ThreadPoolExecutor(4) as threads:
            at_once = list(threads.map(lambda text: list(redactor.find(text, "en")), texts))

        assert at_once == one_by_one
