"""Values that are kept for some seconds, and then take no memory."""

from collections.abc import Callable
from itertools import takewhile
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by the id of a key, each for so many seconds: sessions have keys, and are soon over."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, Value]] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key_id: str) -> Value | None:
        """Return the value of an id; None once its time is over."""
        kept = self._kept.get(key_id)
        return kept[1] if kept is not None and not self._is_over(kept[0]) else None

    def keep(self, key_id: str, value: Value, since: float) -> None:
        """Keep a value since a moment of the clock, and forget those whose time is over."""
        self._kept.pop(key_id, None)
        self._kept[key_id] = (since, value)
        for each in [*takewhile(lambda each: self._is_over(self._kept[each][0]), self._kept)]:
            del self._kept[each]

    def _is_over(self, since: float) -> bool:
        return self._clock() - since >= self._seconds
