"""Budget of processor time: the most that a second of sound may cost."""

import time

from adapters.speech.workers.sandbox import allow_cpu_seconds
from ports.transcriber_port import Progress

CPU_SECONDS_PER_AUDIO_SECOND = 10.0
"""Costs of a second of sound, in seconds of processor time; speech takes a fiftieth of it, noise a fifth."""

CPU_SECONDS_TO_SPARE = 60.0
"""Costs of opening a recording, and of sound that is decoded but not reported yet."""


class CpuBudget:
    """Budget of one recording in this process: it grows with each second of sound that is decoded.

    The length that a recording declares does not count. The kernel kills a process that exceeds its budget.
    """

    def __init__(self, max_audio_seconds: float) -> None:
        self._began = time.process_time()
        self._longest = _cost(max_audio_seconds)
        self._decoded = 0.0
        self.grant(Progress(0.0, None))

    def grant(self, progress: Progress) -> None:
        """Grant the processor time for the sound decoded so far."""
        self._decoded = max(self._decoded, progress.done_seconds)
        allow_cpu_seconds(self._began + _cost(self._decoded), longest=self._longest)


def _cost(seconds: float) -> float:
    return CPU_SECONDS_TO_SPARE + CPU_SECONDS_PER_AUDIO_SECOND * seconds
