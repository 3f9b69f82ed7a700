"""Contract of `TranscriberPort`: one test for each sentence of its docstrings."""

import asyncio
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from domain.model.errors import EmptyRecordingError, NotAudioError, TranscriberBusyError
from domain.model.result_warnings import WarningCode
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from ports.transcriber_port import Progress, TranscriberPort
from tests.support.harness.service import eventually
from tests.support.samples.recordings import SAMPLE_RATE, record_channels, silence, speech

CAPACITY = 2
"""Capacity of the transcriber under test: one slot, and a waiting room for one."""


class TranscriberPortContract:
    """Bind it with a fixture `transcriber` (one slot, a waiting room for one) and three recordings.

    `spoken` has speech, `silent` no sound, and `wordless` sound without speech.
    """

    async def test_the_same_recording_gives_the_same_transcript_independent_of_earlier_ones(
        self, transcriber: TranscriberPort, spoken: Path, silent: Path
    ) -> None:
        first = await transcriber.transcribe(spoken)
        await transcriber.transcribe(silent)

        assert await transcriber.transcribe(spoken) == first
        assert first.segments

    async def test_segments_are_in_order_apart_and_within_the_recording(
        self, transcriber: TranscriberPort, spoken: Path
    ) -> None:
        transcript = await transcriber.transcribe(spoken)

        moments = [moment for segment in transcript.segments for moment in (segment.start, segment.end)]
        assert moments == sorted(moments)
        assert moments[0] >= 0
        assert moments[-1] <= transcript.duration_seconds
        assert all(segment.text for segment in transcript.segments)

    async def test_a_recording_without_speech_gives_no_segments_and_a_warning_if_it_has_sound(
        self, transcriber: TranscriberPort, silent: Path, wordless: Path
    ) -> None:
        silence = await transcriber.transcribe(silent)
        sound = await transcriber.transcribe(wordless)

        assert (silence.segments, silence.warnings) == ((), ())
        assert sound.segments == ()
        assert [warning.code for warning in sound.warnings] == [WarningCode.NO_WORDS_HEARD]

    async def test_channels_and_tracks_are_transcribed_separately_on_request_in_order_of_time(
        self, transcriber: TranscriberPort, tmp_path: Path
    ) -> None:
        late = np.concatenate([silence(4), speech()[: 3 * SAMPLE_RATE]])
        early = np.concatenate([speech()[: 3 * SAMPLE_RATE], silence(4)])
        recording = record_channels(tmp_path / "call", late, early)
        both = TranscriptionOptions(channels=Channels.SEPARATE, tracks=Tracks.ALL)

        steps: list[Progress] = []

        separate = await transcriber.transcribe(recording, options=both, on_progress=steps.append)
        mixed = await transcriber.transcribe(recording)

        starts = [segment.start for segment in separate.segments]
        assert starts == sorted(starts)
        assert {(segment.track, segment.channel) for segment in separate.segments} == {(1, 1), (1, 2)}
        assert {(segment.track, segment.channel) for segment in mixed.segments} == {(None, None)}
        assert separate.duration_seconds == mixed.duration_seconds == 7.0
        assert [step.done_seconds for step in steps] == sorted(step.done_seconds for step in steps)

    async def test_several_recordings_may_be_handed_in_at_once(
        self, transcriber: TranscriberPort, spoken: Path
    ) -> None:
        both = await asyncio.gather(*(transcriber.transcribe(spoken) for _ in range(CAPACITY)))

        assert both[0] == both[1]

    async def test_past_the_waiting_room_recordings_are_refused_beforehand_and_afterwards(
        self, transcriber: TranscriberPort, spoken: Path
    ) -> None:
        at_work = [asyncio.ensure_future(transcriber.transcribe(spoken)) for _ in range(CAPACITY)]
        await eventually(lambda: transcriber.state().admitted == CAPACITY)

        with pytest.raises(TranscriberBusyError) as refusal:
            transcriber.check_capacity()
        with pytest.raises(TranscriberBusyError):
            await transcriber.transcribe(spoken)

        assert refusal.value.retry_after_seconds >= 1
        await asyncio.gather(*at_work)
        transcriber.check_capacity()

    async def test_cancelling_ends_the_work_and_frees_the_slot(
        self, transcriber: TranscriberPort, spoken: Path
    ) -> None:
        work = asyncio.ensure_future(transcriber.transcribe(spoken))
        await eventually(lambda: transcriber.state().admitted == 1)

        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

        assert transcriber.state().admitted == 0
        assert (await transcriber.transcribe(spoken)).segments

    async def test_progress_is_told_in_the_callers_loop(
        self, transcriber: TranscriberPort, spoken: Path
    ) -> None:
        loop = asyncio.get_running_loop()
        seen: list[tuple[Progress, bool]] = []

        transcript = await transcriber.transcribe(
            spoken, on_progress=lambda step: seen.append((step, asyncio.get_running_loop() is loop))
        )

        assert seen
        assert all(in_loop for _, in_loop in seen)
        assert all(0 <= step.done_seconds <= transcript.duration_seconds + 1 for step, _ in seen)
        last, _ = seen[-1]
        assert last.done_seconds == last.total_seconds == pytest.approx(transcript.duration_seconds)

    async def test_a_recording_at_fault_is_named_as_such_and_harms_no_other(
        self, transcriber: TranscriberPort, spoken: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").touch()
        (tmp_path / "text").write_text("this is a letter, not a recording")

        with pytest.raises(EmptyRecordingError):
            await transcriber.transcribe(tmp_path / "empty")
        with pytest.raises(NotAudioError):
            await transcriber.transcribe(tmp_path / "text")

        assert (await transcriber.transcribe(spoken)).segments

    async def test_a_recordings_name_may_have_any_bytes(
        self, transcriber: TranscriberPort, silent: Path, tmp_path: Path
    ) -> None:
        oddly_named = tmp_path / os.fsdecode(b"caf\xe9 \n.wav")
        shutil.copyfile(silent, oddly_named)

        assert await transcriber.transcribe(oddly_named) == await transcriber.transcribe(silent)

    async def test_the_state_tells_the_load(self, transcriber: TranscriberPort, spoken: Path) -> None:
        await eventually(lambda: transcriber.state().ready_slots == 1)
        before = transcriber.state()
        at_work = asyncio.ensure_future(transcriber.transcribe(spoken))
        await asyncio.sleep(0)
        during = transcriber.state()
        await at_work

        assert (before.slots, before.capacity, before.admitted) == (1, CAPACITY, 0)
        assert before.problem is None
        assert during.admitted == 1
        assert during.retry_after_seconds >= 1
        assert transcriber.state().admitted == 0

    async def test_the_transcript_names_what_made_it(
        self, transcriber: TranscriberPort, spoken: Path
    ) -> None:
        transcript = await transcriber.transcribe(spoken)

        assert transcript.provenance is not None
        assert transcript.provenance.engine
        assert transcript.quality.coverage > 0.5
