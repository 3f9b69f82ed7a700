"""Contract of `CleanerPort`: one test for each sentence of its docstrings.

A cleaner binds the contract by subclassing it and providing the fixture `cleaner`.
"""

import asyncio
import re
from collections import Counter

import pytest

from domain.model.transcripts import Segment, Transcript
from ports.cleaner_port import CleanerPort

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001 - both apostrophes

TALKS = {
    "one sentence": ("the weather is going to be nice today",),
    "hesitant": ("um i i think uh", "we should go to the to the station"),
    "numbers": ("my number is one zero zero zero one", "nine nine", "and the code is 4 4 2"),
    "written": ("Dr. Smith paid $3.5 million in the U.S., didn't he?", "Yes. Well, I think so."),
    "other scripts": ("Grüße aus Köln", "привет мир", "你好 世界", "नमस्ते"),
    "noisy": ("<s> hello [NOISE] world </s>", "[COUGH]", "++UM++ good bye"),
}
MEANT = {
    "one sentence": "weather going nice today",
    "hesitant": "think should go station",
    "numbers": "number code",
    "written": "smith paid million didn't yes think",
    "other scripts": "grüsse köln привет мир 你好 世界",
    "noisy": "hello world good bye",
}


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case and without punctuation."""
    return _WORD.findall(text.casefold())


def heard(*texts: str) -> Transcript:
    """Return one segment for each text, a second long and a second after the one before."""
    segments = tuple(
        Segment(start=2.0 * place, end=2.0 * place + 1, text=text) for place, text in enumerate(texts)
    )
    return Transcript(duration_seconds=2.0 * len(texts), segments=segments)


async def text_of(cleaner: CleanerPort, *texts: str) -> str:
    """Clean some segments."""
    return (await cleaner.clean(heard(*texts))).text


class CleanerPortContract:
    """Suite for the adapters of `CleanerPort`."""

    @pytest.mark.parametrize("talk", TALKS)
    async def test_what_was_heard_becomes_something_to_read(self, cleaner: CleanerPort, talk: str) -> None:
        text = await text_of(cleaner, *TALKS[talk])

        assert text
        assert text == " ".join(text.split())

    @pytest.mark.parametrize("talk", TALKS)
    async def test_no_word_is_added(self, cleaner: CleanerPort, talk: str) -> None:
        text = await text_of(cleaner, *TALKS[talk])

        assert Counter(words(text)) <= Counter(words(heard(*TALKS[talk]).text))

    async def test_every_number_is_kept(self, cleaner: CleanerPort) -> None:
        text = await text_of(cleaner, *TALKS["numbers"])

        numbers = [word for word in words(text) if word in {"one", "zero", "nine", "4", "2"}]
        assert " ".join(numbers) == "one zero zero zero one nine nine 4 4 2"

    @pytest.mark.parametrize("talk", TALKS)
    async def test_every_word_that_carries_meaning_is_kept(self, cleaner: CleanerPort, talk: str) -> None:
        text = await text_of(cleaner, *TALKS[talk])

        assert set(MEANT[talk].split()) <= set(words(text))

    @pytest.mark.parametrize("talk", TALKS)
    async def test_cleaning_what_is_clean_changes_nothing(self, cleaner: CleanerPort, talk: str) -> None:
        clean = await text_of(cleaner, *TALKS[talk])

        assert await text_of(cleaner, clean) == clean

    async def test_several_transcripts_may_be_cleaned_at_the_same_time(self, cleaner: CleanerPort) -> None:
        transcripts = [heard(*texts) for texts in TALKS.values()] * 5
        one_by_one = [await cleaner.clean(transcript) for transcript in transcripts]

        at_once = await asyncio.gather(*map(cleaner.clean, transcripts))

        assert at_once == one_by_one

    async def test_cancelling_a_call_ends_its_work(self, cleaner: CleanerPort) -> None:
        too_long_to_be_done_at_once = heard(*TALKS["numbers"] * 500)
        call = asyncio.ensure_future(cleaner.clean(too_long_to_be_done_at_once))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])

        assert call.cancelled()
        assert await text_of(cleaner, "hello")

    async def test_a_recording_without_speech_has_an_empty_text(self, cleaner: CleanerPort) -> None:
        assert (await cleaner.clean(Transcript(duration_seconds=60.0))).text == ""

    @pytest.mark.parametrize("text", ["hello", "the", "7", "你好", "oh"])
    async def test_a_text_is_empty_only_where_nothing_but_noise_was_heard(
        self, cleaner: CleanerPort, text: str
    ) -> None:
        assert words(await text_of(cleaner, text)) == [text]

    async def test_the_result_names_the_cleaner_and_counts_the_segments_that_fell_back(
        self, cleaner: CleanerPort
    ) -> None:
        cleaned = await cleaner.clean(heard(*TALKS["hesitant"]))

        assert cleaned.cleaner
        assert cleaned.fallbacks == 0
