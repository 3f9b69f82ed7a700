"""Progress of a recording: it is read in moments, and then waits for jobs that tell nothing of theirs."""

from ports.transcriber_port import Progress, ProgressListener

READING_SHARE = 0.1
"""Part of the work that is done when a recording has been read."""
WAITING_SHARE = 0.85
"""Part that the wait for a job approaches; reading its output and joining are the rest."""
USUAL_SECONDS, USUAL_PACE = 30.0, 0.1
"""Time in which half of a wait usually passes: some seconds, and a part of the length of the sound."""


class JobProgress:
    """Reports a progress that never falls, and is complete at the end alone."""

    def __init__(self, on_progress: ProgressListener) -> None:
        self._on_progress = on_progress
        self._latest = Progress(0.0, None)

    def read(self, progress: Progress) -> None:
        """Note that a part of the recording was read."""
        self._report(READING_SHARE * progress.done_seconds, progress.total_seconds)

    def waited(self, elapsed: float, sound_seconds: float) -> None:
        """Note that a job has taken so long; the longer it takes, the slower the progress."""
        passed = 1 - 0.5 ** (elapsed / (USUAL_SECONDS + USUAL_PACE * sound_seconds))
        self._report((READING_SHARE + WAITING_SHARE * passed) * sound_seconds, sound_seconds)

    def finish(self, sound_seconds: float) -> None:
        """Report completion."""
        seconds = max(sound_seconds, self._latest.done_seconds)
        self._on_progress(Progress(seconds, seconds))

    def _report(self, done: float, total: float | None) -> None:
        done = max(done, self._latest.done_seconds)
        self._latest = Progress(done, None if total is None else max(total, done))
        self._on_progress(self._latest)
