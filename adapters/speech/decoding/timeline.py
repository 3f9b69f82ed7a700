"""Timeline of a recording: counts samples, and finds the gaps that its timestamps leave."""

LARGEST_JITTER_SECONDS = 0.1
"""Timestamps that are late by less are no gap; FFmpeg's `aresample` (`min_hard_comp`) has the same bound."""

_JUMP_SECONDS = 1.0  # timestamps that fall behind by more start anew, as in recordings that were concatenated


class Timeline:
    """Position in a recording, in seconds as players count them.

    A microphone that was muted or switched on late leaves a gap in the timestamps, and no samples. Lost
    packets leave small gaps, which count as soon as their sum does.
    """

    def __init__(self, start: float | None) -> None:
        """Start at a timestamp in seconds; at that of the first frame where it is None."""
        self.seconds = 0.0
        self._start = start

    def gap_before(self, timestamp: float | None) -> float:
        """Return the seconds without sound before a frame with this timestamp."""
        if timestamp is None:
            return 0.0
        if self._start is None:
            self._start = timestamp
        late = timestamp - self._start - self.seconds
        if late < -_JUMP_SECONDS:
            self._start = timestamp - self.seconds
        return late if late > LARGEST_JITTER_SECONDS else 0.0

    def advance(self, seconds: float) -> None:
        """Move on by the length of a frame or gap."""
        self.seconds += seconds
