"""Recognition in worker processes: the contract of recognisers."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.speech.engines.loading import EngineSettings
from adapters.speech.workers.program import Program
from ports.recogniser_port import RecogniserPort
from tests.contracts.recogniser_port import RecogniserPortContract
from tests.support.harness.workers import CANNED, processes, recognising, whisper

pytestmark = pytest.mark.process

UNKNOWN = Program(engine=EngineSettings(name="no-such-engine"))


class _InWorkers(RecogniserPortContract):
    @abstractmethod
    def program(self) -> Program:
        """Describe the program under test."""

    @asynccontextmanager
    async def running(self, places: int) -> AsyncIterator[RecogniserPort]:
        async with recognising(processes(self.program(), places)) as recogniser:
            yield recogniser

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[RecogniserPort]:
        async with recognising(processes(UNKNOWN)) as recogniser:
            yield recogniser


class TestCannedInWorkers(_InWorkers):
    def program(self) -> Program:
        return CANNED


@pytest.mark.exhaustive
@pytest.mark.speech
class TestFasterWhisperInWorkers(_InWorkers):
    def program(self) -> Program:
        return whisper()
