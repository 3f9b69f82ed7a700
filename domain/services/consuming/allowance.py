"""How many events a consumer may still take."""

from threading import Lock


class Allowance:
    """Shared by the threads of a consumer.

    Args:
        left: how many there are; None for no limit.
    """

    def __init__(self, left: int | None) -> None:
        self._left = left
        self._lock = Lock()

    @property
    def is_spent(self) -> bool:
        """Whether there are none left."""
        return self._left == 0

    def take(self, wanted: int) -> int:
        """Take so many, or what is left."""
        with self._lock:
            if self._left is None:
                return wanted
            taken = min(wanted, self._left)
            self._left -= taken
            return taken

    def give_back(self, number: int) -> None:
        """These were not used."""
        with self._lock:
            if self._left is not None:
                self._left += number
