"""The doubles of recognition keep the contracts of the real ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ports.recogniser_port import RecogniserPort
from ports.speech_source_port import SoundSummary, SpeechSourcePort
from ports.transcriber_port import Progress
from tests.contracts.recogniser_port import RecogniserPortContract
from tests.contracts.speech_source_port import SourceRecordings, SpeechSourcePortContract
from tests.support.doubles.speech import FakeRecogniser, FakeSpeechSource, unit_of, write_reading


class TestFakeRecogniser(RecogniserPortContract):
    @asynccontextmanager
    async def running(self, places: int) -> AsyncIterator[RecogniserPort]:
        yield FakeRecogniser(places=places)

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[RecogniserPort]:
        recogniser = FakeRecogniser()
        recogniser.problem = "no memory"
        yield recogniser


class TestFakeSpeechSource(SpeechSourcePortContract):
    @pytest.fixture
    def recordings(self, tmp_path: Path) -> SourceRecordings:
        channels = [unit_of(at, 2, channel=channel) for channel in (1, 2) for at in (0, 4)]
        long = (step for at in range(20) for step in (unit_of(at, 1), Progress(at + 1, 20)))
        return SourceRecordings(
            spoken=write_reading(tmp_path / "spoken", unit_of(1, 3), SoundSummary(5.0, is_audible=True)),
            call=write_reading(
                tmp_path / "call", unit_of(0, 6), *channels, Progress(6, 6), SoundSummary(6, is_audible=True)
            ),
            long=write_reading(tmp_path / "long", *long, SoundSummary(20.0, is_audible=True)),
            silent=write_reading(tmp_path / "silent", SoundSummary(3.0, is_audible=False)),
        )

    @asynccontextmanager
    async def running(self, places: int) -> AsyncIterator[SpeechSourcePort]:
        yield FakeSpeechSource(places=places)

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[SpeechSourcePort]:
        source = FakeSpeechSource()
        source.problem = "no memory"
        yield source

    def is_reading(self, source: SpeechSourcePort, recording: Path) -> bool:
        assert isinstance(source, FakeSpeechSource)
        return recording in source.open

    def share_read(self, source: SpeechSourcePort, recording: Path) -> float:
        assert isinstance(source, FakeSpeechSource)
        return source.position / recording.stat().st_size
