"""Contract of `SpeechSourcePort`: one test for each sentence of its docstrings."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from domain.model.errors import EmptyRecordingError, NotAudioError, TranscriptionError
from domain.model.speech import SAMPLE_RATE, SpeechUnit
from domain.model.transcripts import DEFAULT_OPTIONS, Channels, TranscriptionOptions
from ports.speech_source_port import Reading, SoundSummary, SpeechSourcePort
from ports.transcriber_port import Progress
from tests.support.harness.service import eventually

SEPARATE = TranscriptionOptions(channels=Channels.SEPARATE)


class SourceRecordings(NamedTuple):
    """Recordings that a source under test can read."""

    spoken: Path  # one voice
    call: Path  # two channels with speech
    long: Path  # more units than a source may read ahead
    silent: Path


async def read_to_end(
    source: SpeechSourcePort, recording: Path, options: TranscriptionOptions = DEFAULT_OPTIONS
) -> list[Reading]:
    return [step async for step in source.read(recording, options)]


def units_of(steps: Sequence[Reading]) -> list[SpeechUnit]:
    return [step for step in steps if isinstance(step, SpeechUnit)]


class SpeechSourcePortContract(ABC):
    """Suite for the adapters of `SpeechSourcePort`; bind it with a fixture `recordings`."""

    @abstractmethod
    def running(self, places: int) -> AbstractAsyncContextManager[SpeechSourcePort]:
        """Run a source; its places become ready by themselves."""

    @abstractmethod
    def broken(self) -> AbstractAsyncContextManager[SpeechSourcePort]:
        """Run a source whose decoder cannot be started."""

    @abstractmethod
    def is_reading(self, source: SpeechSourcePort, recording: Path) -> bool:
        """Check whether the source works on the recording."""

    @abstractmethod
    def share_read(self, source: SpeechSourcePort, recording: Path) -> float:
        """Return the part of the recording that has been read: 0 to 1."""

    async def test_several_recordings_are_read_at_the_same_time(self, recordings: SourceRecordings) -> None:
        async with self.running(2) as source:
            both = await asyncio.gather(*(read_to_end(source, recordings.spoken) for _ in range(2)))
            alone = await read_to_end(source, recordings.spoken)

        assert units_of(both[0]) == units_of(both[1]) == units_of(alone)
        assert both[0][-1] == both[1][-1] == alone[-1]

    async def test_it_reads_ahead_by_a_few_units_at_most(self, recordings: SourceRecordings) -> None:
        async with self.running(1) as source:
            steps = source.read(recordings.long, DEFAULT_OPTIONS)
            async with contextlib.aclosing(steps):
                taken = await anext(step async for step in steps if isinstance(step, SpeechUnit))
                shares: list[float] = []
                while len(shares) < 20 or len(set(shares[-20:])) > 1:  # until it reads no more
                    await asyncio.sleep(0.05)
                    shares.append(self.share_read(source, recordings.long))
                assert taken.start == 0
                assert shares[-1] < 0.5

                rest = [step async for step in steps]

        assert len(units_of(rest)) >= 5
        assert isinstance(rest[-1], SoundSummary)

    async def test_the_chosen_voices_are_read_one_after_another_in_the_order_of_starts(
        self, recordings: SourceRecordings
    ) -> None:
        async with self.running(1) as source:
            separate = units_of(await read_to_end(source, recordings.call, SEPARATE))
            mixed = units_of(await read_to_end(source, recordings.call))

        assert {unit.channel for unit in mixed} == {None}
        assert [unit.channel for unit in separate] == sorted(unit.channel or 0 for unit in separate)
        assert {unit.channel for unit in separate} == {1, 2}
        for before, after in pairwise(separate):
            is_same_voice = before.channel == after.channel
            assert not is_same_voice or before.start + len(before.samples) // 2 <= after.start

    async def test_progress_comes_from_time_to_time_and_does_not_fall(
        self, recordings: SourceRecordings
    ) -> None:
        async with self.running(1) as source:
            steps = await read_to_end(source, recordings.call, SEPARATE)

        done = [step.done_seconds for step in steps if isinstance(step, Progress)]
        assert done
        assert done == sorted(done)

    async def test_the_last_step_is_a_summary_of_the_sound(self, recordings: SourceRecordings) -> None:
        async with self.running(1) as source:
            *steps, spoken = await read_to_end(source, recordings.spoken)
            *_, silent = await read_to_end(source, recordings.silent)

        assert not any(isinstance(step, SoundSummary) for step in steps)
        assert isinstance(spoken, SoundSummary)
        assert isinstance(silent, SoundSummary)
        last = units_of(steps)[-1]
        assert spoken.duration_seconds >= last.start / SAMPLE_RATE + last.seconds
        assert (spoken.is_audible, silent.is_audible) == (True, False)

    async def test_closing_the_generator_ends_the_work(self, recordings: SourceRecordings) -> None:
        async with self.running(1) as source:
            steps = source.read(recordings.long, DEFAULT_OPTIONS)
            await anext(steps)
            assert self.is_reading(source, recordings.long)

            await steps.aclose()

            assert not self.is_reading(source, recordings.long)
            assert units_of(await read_to_end(source, recordings.spoken))

    async def test_a_recording_at_fault_is_named_as_such_and_harms_no_other(
        self, recordings: SourceRecordings, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").touch()
        (tmp_path / "letter").write_text("this is a letter, not a recording")
        async with self.running(1) as source:
            with pytest.raises(EmptyRecordingError):
                await read_to_end(source, tmp_path / "empty")
            with pytest.raises(NotAudioError):
                await read_to_end(source, tmp_path / "letter")

            assert units_of(await read_to_end(source, recordings.spoken))

    async def test_a_decoder_at_fault_is_no_fault_of_the_recording(
        self, recordings: SourceRecordings
    ) -> None:
        async with self.broken() as source:
            with pytest.raises(TranscriptionError):
                await read_to_end(source, recordings.spoken)

    async def test_places_are_counted_and_those_that_are_ready(self) -> None:
        async with self.running(2) as source:
            await eventually(lambda: source.slots().ready == 2)

            assert source.slots().total == 2
            assert source.slots().problem is None
