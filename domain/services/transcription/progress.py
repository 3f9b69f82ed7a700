"""Progress of one recording: sound whose speech has been recognised."""

from collections import deque
from collections.abc import Callable

from ports.transcriber_port import Progress, ProgressListener


class _Unit:
    """A unit in flight."""

    def __init__(self, read_to: float) -> None:
        self.read_to = read_to  # sound read when the unit was cut, in seconds: its end and a little more
        self.is_finished = False


class ProgressLine:
    """Reports the sound up to the first unit that is still at work; it never falls."""

    def __init__(self, on_progress: ProgressListener) -> None:
        self._on_progress = on_progress
        self._units: deque[_Unit] = deque()
        self._read = Progress(0.0, None)
        self._done = 0.0

    def read_to(self, progress: Progress) -> None:
        """Note that the recording was decoded so far."""
        self._read = progress
        self._report()

    def begin_unit(self) -> Callable[[object], None]:
        """Note that a unit is at work; the function returned here is called when it is finished."""
        unit = _Unit(self._read.done_seconds)
        self._units.append(unit)

        def finish(_: object) -> None:
            unit.is_finished = True
            self._report()

        return finish

    def finish(self, seconds: float) -> None:
        """Report completion; several voices are longer together than their recording."""
        whole = max(seconds, self._done)
        self._on_progress(Progress(whole, whole))

    def _report(self) -> None:
        done = self._done
        while self._units and self._units[0].is_finished:
            done = self._units.popleft().read_to
        if not self._units:
            done = self._read.done_seconds
        self._done = max(self._done, done)  # a second voice begins again, where the length is not known
        self._on_progress(Progress(self._done, self._read.total_seconds))
