"""One transaction for the writes of several threads: a sync of the disk costs one what it costs many."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from sqlalchemy import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Writes what a thread brings together with what others brought while the one before was committed.

    Nobody waits for company: who comes alone writes at once. What fails, fails for the whole group.

    Args:
        transact: runs a write in a transaction that is committed when it returns; may repeat it.
        write: writes the items, and says what became of each of them.
    """

    def __init__(
        self,
        transact: Callable[[Callable[[Connection], object]], object],
        write: Callable[[Connection, Sequence[Item]], Sequence[Result]],
    ) -> None:
        self._transact = transact
        self._write = write
        self._writer_lock = Lock()
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()

    def __call__(self, item: Item) -> Result:
        """Write the item; returns, or raises what `transact` raised, once its group has been committed."""
        mine = Future[Result]()
        self._waiting.append((item, mine))
        with self._writer_lock:
            if not mine.done():
                self._commit()
        return mine.result()

    def _commit(self) -> None:
        group: list[tuple[Item, Future[Result]]] = []
        results: list[Result] = []

        def write(connection: Connection) -> None:
            group.extend(self._arrived())  # with those who came while the database had others to serve
            results[:] = self._write(connection, [item for item, _ in group])

        try:
            self._transact(write)
        except BaseException as error:
            for _, waiting in (*group, *self._arrived()):
                waiting.set_exception(error)
            raise
        for (_, waiting), result in zip(group, results, strict=True):
            waiting.set_result(result)

    def _arrived(self) -> Iterator[tuple[Item, Future[Result]]]:
        while self._waiting:
            yield self._waiting.popleft()
