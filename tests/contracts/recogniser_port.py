"""Contract of `RecogniserPort`: one test for each sentence of its docstrings."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

import pytest

from domain.model.errors import TranscriberUnavailableError
from domain.model.speech import MAX_UNIT_SECONDS, SAMPLE_RATE, HeardUnit, SpeechUnit
from ports.recogniser_port import Hints, RecogniserPort
from tests.support.harness.service import eventually
from tests.support.samples.recordings import Samples, speech


def unit(samples: Samples) -> SpeechUnit:
    """Build a unit that is all speech."""
    return SpeechUnit(start=0, samples=samples.tobytes(), speech=((0, len(samples)),))


def spoken(start_seconds: float, end_seconds: float) -> SpeechUnit:
    """Take a part of the demo's recording, which lasts ten seconds."""
    return unit(speech()[int(start_seconds * SAMPLE_RATE) : int(end_seconds * SAMPLE_RATE)])


class RecogniserPortContract(ABC):
    """Suite for the adapters of `RecogniserPort`."""

    @abstractmethod
    def running(self, places: int) -> AbstractAsyncContextManager[RecogniserPort]:
        """Run a recogniser; its places become ready by themselves."""

    @abstractmethod
    def broken(self) -> AbstractAsyncContextManager[RecogniserPort]:
        """Run a recogniser whose engine cannot be started."""

    async def test_a_unit_of_speech_becomes_words(self) -> None:
        async with self.running(1) as recogniser:
            heard = await recogniser.recognise(spoken(0, 4), Hints(), recording="one")

        assert heard.text.split()

    async def test_several_units_may_be_recognised_at_the_same_time(self) -> None:
        units = [spoken(0, 3), spoken(3, 6), spoken(6, 9)]
        async with self.running(2) as recogniser:
            at_once = await asyncio.gather(
                *(recogniser.recognise(each, Hints(), recording="one") for each in units)
            )
            one_by_one = [await recogniser.recognise(each, Hints(), recording="one") for each in units]

        assert at_once == one_by_one

    async def test_the_same_unit_with_the_same_hints_gives_the_same_words_independent_of_earlier_ones(
        self,
    ) -> None:
        async with self.running(1) as recogniser:
            first = await recogniser.recognise(spoken(0, 4), Hints(), recording="one")
            await recogniser.recognise(spoken(4, 9), Hints(), recording="another")
            second = await recogniser.recognise(spoken(0, 4), Hints(), recording="a third")

        assert second == first

    async def test_units_of_several_recordings_share_the_places_evenly(self) -> None:
        finished: list[object] = []
        async with self.running(1) as recogniser:
            await recogniser.engine()

            async def recognise(recording: object) -> None:
                await recogniser.recognise(spoken(0, 2), Hints(), recording=recording)
                finished.append(recording)

            long = [asyncio.ensure_future(recognise("long")) for _ in range(4)]
            await asyncio.sleep(0)  # its units are in line before the other recording arrives
            await asyncio.gather(*long, recognise("short"))

        assert finished.index("short") <= 2

    async def test_cancelling_a_call_ends_its_work(self) -> None:
        async with self.running(1) as recogniser:
            await recogniser.engine()
            at_work = self._begun(recogniser, "cancelled")
            waiting = self._begun(recogniser, "cancelled as well")
            await asyncio.sleep(0)

            for task in (at_work, waiting):
                task.cancel()
            await asyncio.gather(at_work, waiting, return_exceptions=True)

            assert at_work.cancelled()
            assert waiting.cancelled()
            assert (await recogniser.recognise(spoken(0, 2), Hints(), recording="next")).text

    async def test_the_engine_says_what_it_is_once_it_is_loaded(self) -> None:
        async with self.running(1) as recogniser:
            engine = await recogniser.engine()

            assert engine.name
            assert engine.model
            assert recogniser.slots().ready == 1

    async def test_an_engine_that_cannot_be_started_is_named_as_such(self) -> None:
        async with self.broken() as recogniser:
            with pytest.raises(TranscriberUnavailableError):
                await recogniser.engine()
            with pytest.raises(TranscriberUnavailableError):
                await recogniser.recognise(spoken(0, 2), Hints(), recording="one")

    async def test_a_unit_may_be_as_long_as_the_longest(self) -> None:
        sound = speech()[: 8 * SAMPLE_RATE]
        longest = b"".join(sound.tobytes() for _ in range(4))[: int(MAX_UNIT_SECONDS * SAMPLE_RATE) * 2]
        whole = SpeechUnit(start=0, samples=longest, speech=((0, len(longest) // 2),))
        async with self.running(1) as recogniser:
            heard = await recogniser.recognise(whole, Hints(), recording="one")

        assert heard.segments[-1].end > MAX_UNIT_SECONDS / 2

    async def test_the_hints_that_the_engine_can_use_are_taken(self) -> None:
        async with self.running(1) as recogniser:
            engine = await recogniser.engine()
            languages = sorted(engine.languages or {"en"})
            vocabulary = ("Monday", "weather") if engine.takes_vocabulary else ()
            heard = await recogniser.recognise(spoken(0, 4), Hints(languages[0], vocabulary), recording="one")

        assert heard.text

    async def test_a_unit_is_recognised_again_from_a_fresh_state(self) -> None:
        async with self.running(1) as recogniser:
            await recogniser.recognise(spoken(4, 9), Hints(), recording="one")
            after_another = await self._again(recogniser)
        async with self.running(1) as recogniser:
            at_first = await self._again(recogniser)

        assert after_another == at_first
        assert at_first.text

    async def test_places_are_counted_and_those_that_are_ready(self) -> None:
        async with self.running(2) as recogniser:
            await eventually(lambda: recogniser.slots().ready == 2)
            assert recogniser.slots().total == 2
            assert recogniser.slots().problem is None

    async def test_the_reason_why_a_place_could_not_be_started_is_kept(self) -> None:
        async with self.broken() as recogniser:
            await eventually(lambda: recogniser.slots().problem)

            assert recogniser.slots().ready == 0

    @staticmethod
    async def _again(recogniser: RecogniserPort) -> HeardUnit:
        return await recogniser.recognise(spoken(0, 4), Hints(), recording="one", again=True)

    @staticmethod
    def _begun(recogniser: RecogniserPort, recording: object) -> "asyncio.Task[HeardUnit]":
        return asyncio.ensure_future(recogniser.recognise(spoken(0, 4), Hints(), recording=recording))
