"""Properties of cleaning that hold for all texts, with generated speech and arbitrary characters."""

from collections import Counter
from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.cleaning.rules import RulesCleaner
from domain.model.transcripts import Segment, Transcript
from tests.contracts.cleaner_port import heard, words

pytestmark = pytest.mark.slow

CONTENT = (
    "weather New york door open iPhone Köln café 你好 привет can't naïve U.S. p.m. mr. https://a.b/c?d e@f.de"
)
NUMBERS = "zero one two nine twenty-one hundred third 7 42 3.5 2024 1,000"
FUNCTION = "the The a i I i'm I’m we and to of in it that had very no you is"  # noqa: RUF001 - both apostrophes
NOISE = "um uh Um, uhm hmm mm mhm er <s> </s> <sil> [NOISE] ++UM++ <unk> the(2) w- th- wh- [noise um-]"
WHISPER = "[upbeat music] (soft applause) *laughs* ♪ ♪♪ [BLANK_AUDIO] ( ) [ ] * I-I th-the (laughs) m- music"
MARKS = ', . ... ! ? ; : - — … 。 " ( ) « »'

_content = {word for word in words(CONTENT) if len(word) > 1}
_numbers = NUMBERS.split()
_vocabulary = st.sampled_from(f"{CONTENT} {NUMBERS} {FUNCTION} {NOISE} {WHISPER}".split())
_marked = st.builds(
    "{}{}{}".format, st.sampled_from(["", '"', "("]), _vocabulary, st.sampled_from(MARKS.split())
)
_awkward = st.text(alphabet="aiIuUmMhHeErR.,;:!?…'\"()[]<>+-–—|s/2*♪ 5中\u00a0\u2028éßǅİıი", max_size=7)  # noqa: RUF001 - awkward on purpose
_phrase = st.lists(st.one_of(_vocabulary, _vocabulary, _marked, st.sampled_from(MARKS.split())), max_size=8)
_repeated = st.builds(lambda phrase, times: phrase * times, _phrase, st.sampled_from([1, 1, 2, 3, 4, 9]))
_talk = st.lists(_repeated, max_size=4).map(lambda phrases: " ".join(chain.from_iterable(phrases)))
_odd_talk = st.lists(st.one_of(_vocabulary, _marked, _awkward), max_size=12).map(" ".join)

unhurried = settings(deadline=None, max_examples=100)


@st.composite
def transcripts(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Transcript:
    segments, now = [], 0.0
    for pause, text in draw(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 2.0]), texts), max_size=5)):
        segments.append(Segment(start=now + pause, end=now + pause + 1, text=text))
        now += pause + 1
    return Transcript(duration_seconds=now, segments=tuple(segments))


def clean(transcript: Transcript) -> str:
    return RulesCleaner().readable_text(transcript)


def numbers_in(text: str) -> list[str]:
    bare = (word.strip('"(),.;:!?-—…。«»').casefold() for word in text.split())
    return [word for word in bare if word in _numbers]


@unhurried
@given(st.text())
@example("[ um noise ]")
@example(".: .")
@example("the(2)(2)")
@example("i. i. i")
@example("5 The the cat. 6 i")
@example("in the u.s. in the u.s. now")
def test_clean_text_is_not_changed_again(text: str) -> None:
    once = clean(heard(text))

    assert clean(heard(once)) == once


@unhurried
@given(transcripts(_talk))
def test_a_clean_talk_is_not_changed_again(transcript: Transcript) -> None:
    once = clean(transcript)

    assert clean(heard(once)) == once


@settings(unhurried, max_examples=300)
@given(transcripts(_odd_talk))
def test_a_clean_talk_of_odd_words_is_not_changed_again(transcript: Transcript) -> None:
    once = clean(transcript)

    assert clean(heard(once)) == once


@unhurried
@given(transcripts(st.one_of(_talk, _odd_talk, st.text())))
def test_no_word_is_ever_added(transcript: Transcript) -> None:
    assert Counter(words(clean(transcript))) <= Counter(words(transcript.text))


@unhurried
@given(transcripts(_talk))
def test_every_content_word_survives(transcript: Transcript) -> None:
    meant = _content & set(words(transcript.text))

    assert meant <= set(words(clean(transcript)))


@unhurried
@given(transcripts(_talk))
@example(heard("weather zero( weather zero("))
def test_numbers_survive_in_count_and_order(transcript: Transcript) -> None:
    assert numbers_in(clean(transcript)) == numbers_in(transcript.text)


@unhurried
@given(st.lists(st.sampled_from(NUMBERS.split()), min_size=1, max_size=30))
def test_nothing_but_numbers_is_left_as_it_is(numbers: list[str]) -> None:
    text = clean(heard(" ".join(numbers)))

    assert text.removesuffix(".").casefold().split() == numbers


@unhurried
@given(transcripts(st.one_of(_talk, _odd_talk)))
def test_words_stand_one_space_apart(transcript: Transcript) -> None:
    text = clean(transcript)

    assert text == text.strip(" ")
    assert "  " not in text
