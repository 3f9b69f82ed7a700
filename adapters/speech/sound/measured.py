"""Sound that measures itself while an engine hears it."""

from collections.abc import Iterable, Iterator

import numpy as np

from adapters.speech.sound.blocks import BYTES_PER_SAMPLE, SAMPLE_RATE
from adapters.speech.sound.levels import is_audible


class MeasuredSound:
    """Passes 16-bit mono blocks on; knows their length and whether they are silent when they have passed."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.is_audible = False
        self._blocks = blocks
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._bytes += len(block)
            self.is_audible = self.is_audible or _is_audible(block)
            yield block

    @property
    def seconds(self) -> float:
        """Return the length of the blocks that have passed."""
        return self._bytes / BYTES_PER_SAMPLE / SAMPLE_RATE


def _is_audible(block: bytes) -> bool:
    return is_audible(np.asarray(np.frombuffer(block, "<i2")[np.newaxis] / 2**15, np.float32))
