"""Distrust: a worker that a recording has taken over may say anything, and fails that recording alone."""

from pathlib import Path

import pytest

from adapters.speech.workers.protocol import Advanced, Cut, Failed, ReadToEnd, Ready, Recognised
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.recognisers import WorkerRecogniser
from domain.model.errors import TranscriberCrashedError, TranscriberUnavailableError
from ports.recogniser_port import Hints
from tests.contracts.speech_source_port import read_to_end
from tests.support.doubles.speech import heard, unit_of
from tests.support.harness.service import eventually
from tests.support.harness.workers import ALL_IS_SPEECH, impostor, processes, recognising, supervised
from tests.support.samples.recordings import DEMO

pytestmark = pytest.mark.process

SUMMARY = ReadToEnd(duration_seconds=9.0, is_audible=True, warnings=())
UNIT = unit_of(1, 2)


def says(message: Advanced | Cut | Failed | ReadToEnd | Ready | Recognised, samples: bytes = b"") -> str:
    """Return statements of an impostor that send a message."""
    raw = message.to_line() + samples
    return f"sys.stdout.buffer.write({raw!r}); sys.stdout.buffer.flush()"


def cut(**changes: object) -> str:
    fields = Cut.of(UNIT).model_dump() | {"size": 4} | changes
    return f"say(json.dumps({fields!r})); sys.stdout.write('abcd')"


BROKEN_LINES = {
    "text": "say('hello')",
    "another kind": 'say(\'{"kind": "rewarded"}\')',
    "an endless line": "print('x' * 70_000_000)",
    "no end of line": "sys.stdout.write('no end of line'); sys.stdout.flush(); sys.exit()",
    "deep nesting": "say('[' * 100_000)",
}
GARBAGE_OF_A_READER = {
    **BROKEN_LINES,
    "half a sample": cut(size=3),
    "more samples than a unit has": cut(size=2_000_000),
    "a unit before the recording": cut(start=-1),
    "a unit at the end of time": cut(start=10**400),
    "speech behind the unit": cut(speech=((0, 3),)),
    "speech before the unit": cut(speech=((-1, 1),)),
    "speech backwards": cut(speech=((2, 1),)),
    "speech twice": cut(speech=((0, 2), (1, 2))),
    "track nought": cut(track=0),
    "channel nought": cut(channel=0),
    "a unit without its samples": f"{cut()}; sys.stdout.flush(); sys.exit()",
    "a unit over the one before": says(Cut.of(UNIT), UNIT.samples)
    + "; "
    + says(Cut.of(unit_of(2, 2)), unit_of(2, 2).samples),
    "a unit behind the end": says(Cut.of(unit_of(8, 2)), unit_of(8, 2).samples) + "; " + says(SUMMARY),
    "words": says(Recognised(heard=heard("hello"))),
    "that it is ready": says(Ready()),
    "negative progress": 'say(\'{"kind": "advanced", "done_seconds": -1, "total_seconds": null}\')',
}
GARBAGE_OF_A_RECOGNISER = {
    **BROKEN_LINES,
    "progress": says(Advanced(done_seconds=1.0, total_seconds=None)),
    "a unit": says(Cut.of(UNIT), UNIT.samples),
    "the end of a recording": says(SUMMARY),
    "that it is ready": "say(READY)",
}


@pytest.mark.parametrize("garbage", GARBAGE_OF_A_READER.values(), ids=GARBAGE_OF_A_READER)
async def test_garbage_of_a_reader_fails_the_recording_and_ends_the_reader(
    tmp_path: Path, garbage: str
) -> None:
    python = impostor(tmp_path, f"say(READY); take(); {garbage}; sys.stdout.flush(); wait()")

    async with supervised(processes(ALL_IS_SPEECH, python=python)) as workers:
        await eventually(workers.pids)
        (pid,) = workers.pids()
        with pytest.raises(TranscriberCrashedError):
            await read_to_end(WorkerSpeechSource(workers, max_audio_seconds=60), DEMO)
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("garbage", GARBAGE_OF_A_RECOGNISER.values(), ids=GARBAGE_OF_A_RECOGNISER)
async def test_garbage_of_a_recogniser_fails_the_unit_and_ends_the_recogniser(
    tmp_path: Path, garbage: str
) -> None:
    python = impostor(tmp_path, f"say(READY); take(); {garbage}; sys.stdout.flush(); wait()")

    async with supervised(processes(python=python)) as workers:
        await eventually(workers.pids)
        (pid,) = workers.pids()
        with pytest.raises(TranscriberCrashedError):
            await WorkerRecogniser(workers).recognise(UNIT, Hints(), recording="one")
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("first", ["say('hello')", "say(ANSWER)", says(Ready()), "sys.exit()"])
async def test_a_recogniser_whose_first_message_is_not_what_it_is_never_becomes_ready(
    tmp_path: Path, first: str
) -> None:
    python = impostor(tmp_path, f"{first}; wait()")

    async with recognising(processes(python=python)) as recogniser:
        with pytest.raises(TranscriberUnavailableError, match="'canned' could not be started"):
            await recogniser.engine()
        assert recogniser.slots().ready == 0


def test_a_worker_cannot_name_an_error_that_is_not_its_own() -> None:
    error = Failed(error="ConfigurationError", message="PATH is wrong").to_error()

    assert isinstance(error, TranscriberCrashedError)
