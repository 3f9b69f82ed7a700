"""Workload: the recordings at work in the pool, and the time until one of them is likely to be done."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ports.transcriber_port import Progress, ProgressListener

TYPICAL_PACE = 0.2
"""Seconds of work for a second of sound, until a recording has shown its own pace."""

SOUND_FOR_A_PACE = 20.0
"""Seconds of sound that show a pace: decoding runs ahead of recognition by one utterance."""

MAX_RETRY_AFTER_SECONDS = 300


class Workload:
    """Estimates from the progress of the recordings at work when a place is free; waiting ones free none."""

    def __init__(self, clock: Callable[[], float]) -> None:  # monotonic seconds
        self._clock = clock
        self._at_work: set[RecordingAtWork] = set()

    @contextmanager
    def tracking(self, on_progress: ProgressListener | None) -> Iterator[ProgressListener]:
        """Count a recording while the context lasts; its progress goes to the listener yielded here."""
        recording = RecordingAtWork(self._clock(), on_progress)
        self._at_work.add(recording)
        try:
            yield recording.advance
        finally:
            self._at_work.remove(recording)

    def retry_after_seconds(self) -> int:
        """Return the whole seconds until the first recording is likely to be done, within bounds."""
        now = self._clock()
        left = min((recording.seconds_left(now) for recording in self._at_work), default=0.0)
        return max(1, math.ceil(min(left, MAX_RETRY_AFTER_SECONDS)))


class RecordingAtWork:
    """Progress of one recording."""

    def __init__(self, began: float, on_progress: ProgressListener | None) -> None:
        self._began = began
        self._on_progress = on_progress
        self._latest = Progress(0.0, None)

    def advance(self, progress: Progress) -> None:
        """Note the progress, and pass it on."""
        self._latest = progress
        if self._on_progress is not None:
            self._on_progress(progress)

    def seconds_left(self, now: float) -> float:
        """Estimate the remaining work; without a length, as long again as it has taken."""
        worked, (done, total) = now - self._began, self._latest
        if total is None:
            return worked
        pace = worked / max(done, SOUND_FOR_A_PACE)
        if done < SOUND_FOR_A_PACE:
            pace = max(pace, TYPICAL_PACE)
        return max(total - done, 0.0) * pace
