"""Progress: the sound up to the first unit at work, in any order in which units end."""

from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.services.transcription.progress import ProgressLine
from ports.transcriber_port import Progress


def test_progress_waits_for_the_first_unit_at_work() -> None:
    told: list[Progress] = []
    line = ProgressLine(told.append)
    line.read_to(Progress(10.0, 60.0))
    first = line.begin_unit()
    line.read_to(Progress(20.0, 60.0))
    second = line.begin_unit()
    line.read_to(Progress(30.0, 60.0))

    second(None)
    assert told[-1] == Progress(10.0, 60.0)

    first(None)
    assert told[-1] == Progress(30.0, 60.0)


def test_a_second_voice_of_unknown_length_does_not_set_it_back() -> None:
    told: list[Progress] = []
    line = ProgressLine(told.append)
    line.read_to(Progress(40.0, None))

    line.read_to(Progress(1.0, None))  # the second voice, from its beginning
    finish = line.begin_unit()
    line.read_to(Progress(5.0, None))
    finish(None)

    assert {progress.done_seconds for progress in told} == {40.0}


def test_silence_moves_the_progress_on() -> None:
    told: list[Progress] = []
    line = ProgressLine(told.append)

    for second in (1.0, 2.0, 3.0):
        line.read_to(Progress(second, None))

    assert told == [Progress(1.0, None), Progress(2.0, None), Progress(3.0, None)]


def test_the_end_is_all_of_the_sound() -> None:
    told: list[Progress] = []
    line = ProgressLine(told.append)
    line.read_to(Progress(59.0, 58.0))

    line.finish(61.0)

    assert told[-1] == Progress(61.0, 61.0)


def test_the_end_of_two_voices_does_not_set_it_back() -> None:
    told: list[Progress] = []
    line = ProgressLine(told.append)
    line.read_to(Progress(120.0, 120.0))  # two channels of a minute

    line.finish(60.0)

    assert told[-1] == Progress(120.0, 120.0)


class Transcription(RuleBasedStateMachine):
    """A recording is read, and its units end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[Progress] = []
        self._line = ProgressLine(self._told.append)
        self._read = 0.0
        self._units: list[tuple[float, object]] = []

    @rule(seconds=st.floats(0, 30))
    def read(self, seconds: float) -> None:
        self._read += seconds
        self._line.read_to(Progress(self._read, None))

    @rule()
    def begin(self) -> None:
        self._units.append((self._read, self._line.begin_unit()))

    @precondition(lambda self: self._units)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        _, finish = self._units.pop(data.draw(st.integers(0, len(self._units) - 1)))
        assert callable(finish)
        finish(None)

    @invariant()
    def it_never_falls_and_never_runs_ahead(self) -> None:
        done = [progress.done_seconds for progress in self._told]
        assert all(before <= after for before, after in pairwise(done))
        assert all(seconds <= self._read for seconds in done)
        if self._units and done:
            assert done[-1] <= self._units[0][0]


TestTranscription = Transcription.TestCase
