"""Reading in worker processes: the contract of sources, and what belongs to processes alone."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from adapters.speech.workers.program import Program
from domain.model.errors import AudioTooLongError
from ports.speech_source_port import SpeechSourcePort
from ports.transcriber_port import Progress
from tests.contracts.speech_source_port import (
    SourceRecordings,
    SpeechSourcePortContract,
    read_to_end,
    units_of,
)
from tests.support.harness.workers import ALL_IS_SPEECH, READER, processes, reading
from tests.support.samples.recordings import (
    DEMO,
    record,
    record_channels,
    record_video,
    silence,
    speech,
    tone,
)

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> SourceRecordings:
    folder = tmp_path_factory.mktemp("recordings")
    return SourceRecordings(
        spoken=DEMO,
        call=record_channels(folder / "call.wav", speech(), np.roll(speech(), 20_000)),
        long=record(folder / "long.wav", np.tile(speech(), 40)),
        silent=record(folder / "silence.wav", silence(0.05)),
    )


def working_on(recording: Path) -> list[Path]:
    """List the open files, in all processes of this user, that are the recording."""
    found = []
    for file in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if file.readlink() == recording:
                found.append(file)
        except OSError:  # the process ended, or is another user's
            continue
    return found


class _InWorkers(SpeechSourcePortContract):
    program: Program

    @asynccontextmanager
    async def running(self, places: int) -> AsyncIterator[SpeechSourcePort]:
        async with reading(processes(self.program, places)) as source:
            yield source

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[SpeechSourcePort]:
        async with reading(processes(self.program, python="/no/python")) as source:
            yield source

    def is_reading(self, source: SpeechSourcePort, recording: Path) -> bool:  # noqa: ARG002 - the kernel tells
        return bool(working_on(recording))

    def share_read(self, source: SpeechSourcePort, recording: Path) -> float:  # noqa: ARG002 - the kernel tells
        (file,) = working_on(recording)
        position = (file.parents[1] / "fdinfo" / file.name).read_text(encoding="ascii").split()[1]
        return int(position) / recording.stat().st_size


class TestReadersWithoutVoiceActivity(_InWorkers):
    program = ALL_IS_SPEECH


@pytest.mark.speech
class TestReaders(_InWorkers):
    program = READER


async def test_the_limit_on_length_reaches_the_reader(tmp_path: Path) -> None:
    recording = record(tmp_path / "long.wav", silence(12.0))

    async with reading(processes(ALL_IS_SPEECH), max_audio_seconds=10.0) as source:
        with pytest.raises(AudioTooLongError):
            await read_to_end(source, recording)


async def test_a_recordings_name_may_have_any_bytes(tmp_path: Path) -> None:
    oddly_named = record(tmp_path / "plain.wav", tone(1)).rename(tmp_path / os.fsdecode(b'caf\xe9 \n"{}.wav'))

    async with reading(processes(ALL_IS_SPEECH)) as source:
        assert units_of(await read_to_end(source, oddly_named))


async def test_looking_for_the_track_with_sound_is_no_progress(tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(silence(60), tone(60)))

    async with reading(processes(ALL_IS_SPEECH)) as source:
        steps = [step for step in await read_to_end(source, video) if isinstance(step, Progress)]

    assert steps[0].done_seconds == 0
    assert all(before.done_seconds <= after.done_seconds for before, after in pairwise(steps))
    assert all(step.done_seconds == 0 for step in steps if step.total_seconds is None)
