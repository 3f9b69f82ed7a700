"""Pool of threads that has Celery look for the next message as soon as a thread is free."""

from typing import TYPE_CHECKING, Any

from celery.concurrency.thread import ApplyResult, TaskPool
from kombu.asynchronous import get_event_loop

if TYPE_CHECKING:
    from concurrent.futures import Future


class WakingThreadPool(TaskPool):  # type: ignore[misc]  # Celery has no types
    """Threads whose ends of tasks wake Celery's event loop.

    Without prefetch, Celery asks a broker for no message while all threads are at work; asleep, it would
    notice a free thread up to a second later.
    """

    def on_apply(self, *args: Any, **kwargs: Any) -> ApplyResult:  # noqa: ANN401 - Celery's arguments
        """Start a task, and wake the event loop after the task has left the count of those at work."""
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(_wake)
        return result


def _wake(_ended: "Future[object]") -> None:
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(_look_again)


def _look_again() -> None:
    """Do nothing: each turn of the loop begins with a look for messages."""
